//! Sans-IO RTP and RTCP session for SIP legs.
