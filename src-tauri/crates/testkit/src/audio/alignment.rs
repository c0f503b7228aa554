//! Where each part of a sound lies in a recording of it.

/// Length of a block: 50 ms at 8 kHz. Clocks that differ by 0.1 % shift it by half a sample in itself.
const BLOCK: usize = 400;
/// A block may lie this far from where the whole lies: 160 ms.
const SLACK: usize = 1_280;
/// From one block to the next the place may move by so many samples for nothing: clocks 0.5 % apart.
const DRIFT: usize = 2;
/// A larger move costs as much as this many lost blocks of mean energy. Less would let broken sound be pieced together,
/// and unrelated sound be found.
const JUMP: f64 = 2.0;
/// Blocks quieter than this part of the loudest one are pauses.
const QUIET: f64 = 0.02;

/// One block of the reference in the recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block {
    /// Of the reference.
    pub(super) energy: f64,
    /// How many samples later than in the reference it lies.
    pub(super) lag: i64,
    /// Normalised, 0 to 1, there.
    pub(super) correlation: f64,
    /// What it cost to come here from the place of the block before, as energy.
    pub(super) jump: f64,
}

impl Block {
    pub(super) fn value(&self) -> f64 {
        self.correlation * self.energy - self.jump
    }
}

/// The places near `lag` at which the blocks of `reference` together have the greatest value (Viterbi 1967).
pub(super) fn align(reference: &[f32], recording: &[f32], lag: i64) -> Vec<Block> {
    let energies: Vec<f64> = reference.chunks_exact(BLOCK).map(energy).collect();
    let loudest = energies.iter().copied().fold(0.0, f64::max);
    let spoken: Vec<f64> = energies.iter().copied().filter(|energy| *energy > loudest * QUIET).collect();
    let jump = JUMP * spoken.iter().sum::<f64>() / spoken.len().max(1) as f64;
    let sums = energy_sums(recording);

    let first = lag - SLACK as i64;
    let mut values = vec![0.0; 2 * SLACK + 1];
    let mut steps: Vec<Vec<Step>> = Vec::with_capacity(energies.len());
    for (n, (block, energy)) in reference.chunks_exact(BLOCK).zip(&energies).enumerate() {
        let found = correlations(block, *energy, recording, &sums, first + (n * BLOCK) as i64);
        let came = if n == 0 { vec![None; values.len()] } else { predecessors(&values, jump) };
        let next = |(place, correlation): (usize, &f64)| {
            let before = came[place].map_or(0.0, |(from, cost): (usize, f64)| values[from] - cost);
            before + correlation * energy
        };
        let reached = found.iter().enumerate().map(next).collect();
        steps.push(
            found.into_iter().zip(came).map(|(correlation, came)| Step { correlation, came }).collect(),
        );
        values = reached;
    }

    let mut place = best(&values);
    let mut blocks: Vec<Block> = steps
        .iter()
        .zip(&energies)
        .rev()
        .map(|(step, energy)| {
            let Step { correlation, came } = step[place];
            let block = Block {
                energy: *energy,
                lag: first + place as i64,
                correlation,
                jump: came.map_or(0.0, |(_, cost)| cost),
            };
            place = came.map_or(place, |(from, _)| from);
            block
        })
        .collect();
    blocks.reverse();
    blocks
}

/// A block at one place, and from which place of the block before it is best reached at what cost.
#[derive(Debug, Clone, Copy)]
struct Step {
    correlation: f64,
    came: Option<(usize, f64)>,
}

/// For each place the best one to come from: a near one for nothing, or the best of all by a jump.
fn predecessors(values: &[f64], jump: f64) -> Vec<Option<(usize, f64)>> {
    let far = best(values);
    let from = |place: usize| {
        let near = place.saturating_sub(DRIFT)..=(place + DRIFT).min(values.len() - 1);
        let near = near.fold(place, |best, other| if values[other] > values[best] { other } else { best });
        if values[far] - jump > values[near] { Some((far, jump)) } else { Some((near, 0.0)) }
    };
    (0..values.len()).map(from).collect()
}

fn best(values: &[f64]) -> usize {
    let later = |best: usize, place: usize| if values[place] > values[best] { place } else { best };
    (0..values.len()).fold(values.len() / 2, later)
}

/// Of `block` with the recording at each place from `first` on; 0 where it is not all inside.
fn correlations(block: &[f32], block_energy: f64, recording: &[f32], sums: &[f64], first: i64) -> Vec<f64> {
    let at = |place: i64| {
        let start = usize::try_from(place).ok()?;
        let window = recording.get(start..start + BLOCK)?;
        let product: f32 = block.iter().zip(window).map(|(a, b)| a * b).sum();
        let energies = block_energy * (sums[start + BLOCK] - sums[start]);
        (product > 0.0).then(|| f64::from(product) / energies.sqrt().max(1e-12))
    };
    (first..=first + 2 * SLACK as i64).map(|place| at(place).unwrap_or(0.0)).collect()
}

/// The energy of the first samples, for each number of them.
fn energy_sums(samples: &[f32]) -> Vec<f64> {
    let mut sum = 0.0;
    let following = samples.iter().map(|sample| {
        sum += f64::from(*sample) * f64::from(*sample);
        sum
    });
    std::iter::once(0.0).chain(following).collect()
}

fn energy(samples: &[f32]) -> f64 {
    f64::from(samples.iter().map(|s| s * s).sum::<f32>())
}
