//! Sans-IO SIP user agent and registrar.
