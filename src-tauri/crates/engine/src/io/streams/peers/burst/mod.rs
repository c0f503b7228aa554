//! Datagrams for one address at once: what a picture's packets have to pass, system call, route and filters, they pass together
//! where the system can.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub(super) use linux::Burst;
#[cfg(not(target_os = "linux"))]
pub(super) use other::Burst;

#[cfg(test)]
mod tests {
    use super::Burst;
    use bytes::Bytes;
    use std::{net::UdpSocket, time::Duration};

    #[test]
    fn datagrams_of_all_lengths_arrive_whole_and_in_order() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            // A machine may have no IPv6.
            let Ok(receiver) = UdpSocket::bind(host) else { continue };
            receiver.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let to = receiver.local_addr().unwrap();
            let sender = mio::net::UdpSocket::from_std(UdpSocket::bind(host).unwrap());
            let mut burst = Burst::default();
            let mut sent: Vec<Bytes> = Vec::new();
            for (number, length) in
                [1_200, 1_200, 1_200, 700, 700, 1_100, 3, 1_200, 1_200, 9].into_iter().enumerate()
            {
                sent.push(vec![number as u8; length].into());
            }
            // More than go at once.
            sent.extend((0..150).map(|number| Bytes::from(vec![number; 1_000])));
            let mut buffer = [0; 2_048];
            for few in sent.chunks(50) {
                for datagram in few {
                    burst.push(datagram.clone());
                }
                burst.send(&sender, to);
                for datagram in few {
                    let length = receiver.recv(&mut buffer).unwrap();
                    assert_eq!(buffer[..length], datagram[..]);
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_sent_together_is_sent_one_by_one() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        receiver.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let sender = mio::net::UdpSocket::from_std(UdpSocket::bind("127.0.0.1:0").unwrap());
        let mut burst = Burst::one_by_one();
        burst.push(Bytes::from_static(b"first"));
        burst.push(Bytes::from_static(b"other"));
        burst.send(&sender, receiver.local_addr().unwrap());
        let mut buffer = [0; 64];
        for expected in [b"first", b"other"] {
            let length = receiver.recv(&mut buffer).unwrap();
            assert_eq!(buffer[..length], expected[..]);
        }
    }
}
