//! Links, clocks, fake devices and real peers for tests.
