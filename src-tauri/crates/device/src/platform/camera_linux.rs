use std::fs;
use std::path::Path;

use nokhwa::utils::CameraIndex;

/// Where the kernel tells what each video node is (Documentation/ABI/testing/sysfs-class-video4linux).
const NODES: &str = "/sys/class/video4linux";

/// A camera has one node for pictures and others for what goes with them; only the first one of each has pictures.
pub(crate) fn is_camera(index: &CameraIndex) -> bool {
    index.as_index().is_ok_and(|index| is_first(Path::new(NODES), index))
}

fn is_first(nodes: &Path, index: u32) -> bool {
    let of_device = fs::read_to_string(nodes.join(format!("video{index}/index")));
    // Where the kernel does not tell, opening it will.
    of_device.map_or(true, |text| text.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_is_listed_once_for_all_of_its_nodes() {
        let nodes = std::env::temp_dir().join(format!("sidetone-nodes-{}", std::process::id()));
        for (node, index) in [(0, "0\n"), (1, "1\n"), (2, "0\n")] {
            fs::create_dir_all(nodes.join(format!("video{node}"))).unwrap();
            fs::write(nodes.join(format!("video{node}/index")), index).unwrap();
        }
        let first: Vec<u32> = (0..4).filter(|index| is_first(&nodes, *index)).collect();
        fs::remove_dir_all(&nodes).unwrap();
        assert_eq!(first, [0, 2, 3]);
    }
}
