/** Set by the build: whether the fake engine is part of it. */
declare const __FAKE__: boolean
