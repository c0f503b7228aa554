//! The one owner: sessions, calls, devices, settings.
