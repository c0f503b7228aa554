//! Microphone and speaker on real hardware.
