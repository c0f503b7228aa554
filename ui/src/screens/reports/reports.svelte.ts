import type { Command, ReportContents, ReportView } from '../../api/types'
import { t } from '../../locales'
import type { App } from '../../state/app.svelte'

/** Parts of a report that its user may keep back. */
export const SECTIONS = ['messages', 'events', 'samples', 'settings', 'devices', 'sessions', 'rooms', 'gateway'] as const
export type Section = (typeof SECTIONS)[number]

/** What is looked at: a report before it is stored, or a stored one. */
export class Reports {
  stored = $state.raw<readonly ReportView[] | null>(null)
  open = $state.raw<ReportContents | null>(null)
  busy = $state(false)
  wrong = $state('')

  constructor(private readonly app: App) {}

  get isDraft(): boolean {
    return this.open !== null && this.open.report.file === ''
  }

  async list(): Promise<void> {
    await this.run({ command: 'getBugReports' })
  }

  async prepare(): Promise<void> {
    await this.run({ command: 'prepareBugReport' })
  }

  async read(file: string): Promise<void> {
    await this.run({ command: 'readBugReport', file })
  }

  async store(words: string, leaveOut: readonly Section[]): Promise<void> {
    if (!(await this.run({ command: 'submitBugReport', words, leaveOut: [...leaveOut], screenshot: null }))) return
    this.open = null
    this.app.notices.show('info', t('reports.stored'))
    await this.list()
  }

  async remove(file: string): Promise<void> {
    if (!(await this.run({ command: 'removeBugReport', file }))) return
    this.open = null
    await this.list()
  }

  close(): void {
    this.open = null
    this.wrong = ''
  }

  private async run(command: Command): Promise<boolean> {
    this.busy = true
    this.wrong = ''
    try {
      const reply = await this.app.ask(command)
      if (reply.reply === 'report') this.open = reply.report
      if (reply.reply === 'reports') this.stored = reply.reports
      return true
    } catch (reason) {
      this.wrong = (reason as { message: string }).message
      return false
    } finally {
      this.busy = false
    }
  }
}
