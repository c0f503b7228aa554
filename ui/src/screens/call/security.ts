import type { CallView } from '../../api/types'
import type { IconName } from '../../components/icons'
import { t } from '../../locales'

/** How one part of a call is protected on its way to the next hop. */
export type Hop = { testid: string; label: string; words: string; detail: string; icon: IconName; safe: boolean; code: string }

export function describeMedia({ encryption, suite, signalling }: CallView): Hop {
  const base = { testid: 'encryption', label: t('security.media'), code: encryption }
  // Keys that everybody on the way could read protect nothing.
  if (encryption === 'sdes' && signalling?.secure !== true) {
    return { ...base, words: t('encryption.sdes.open'), detail: [t('encryption.sdes.open.text'), suite].filter(Boolean).join(' '), icon: 'unlocked', safe: false }
  }
  const icon = encryption === 'loopback' ? 'house' : encryption === 'none' ? 'unlocked' : 'locked'
  const detail = encryption === 'none' || encryption === 'loopback' ? t(`encryption.${encryption}.text`) : (suite ?? '')
  return { ...base, words: t(`encryption.${encryption}`), detail, icon, safe: encryption !== 'none' }
}

/** `null` where it is not known, and for calls that stay on this machine. */
export function describeSignalling({ encryption, signalling }: CallView): Hop | null {
  if (!signalling || encryption === 'loopback') return null
  const { secure, transport, info } = signalling
  const words = t(secure ? 'security.signalling.safe' : 'security.signalling.open')
  const detail = [t(`transport.${transport}`), secure ? info.replace(/^TLS /, '') : ''].filter(Boolean).join(' ')
  return { testid: 'signalling', label: t('security.signalling'), words, detail, icon: secure ? 'locked' : 'unlocked', safe: secure, code: transport }
}
