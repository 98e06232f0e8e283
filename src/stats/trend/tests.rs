//! Simulated histories of known truth.

use super::*;
use crate::stats::Estimate;
use crate::stats::simulation::Noise;

/// A history that is simulated: what is true of it, and what was measured.
struct SimulatedHistory {
    /// ln of each commit's level.
    truth: Vec<f64>,
    /// The commits with a step.
    steps: Vec<usize>,
    /// The commits of the drift.
    drift: std::ops::Range<usize>,
    measured: Measured,
    /// ln of the time that each commit took on the machine that ran it.
    absolute: Vec<f64>,
}

/// How a history is simulated.
#[derive(Clone, Copy)]
struct Setting {
    commits: usize,
    steps: usize,
    /// Placement: from 0 to this, uniformly, for each build.
    placement: f64,
    /// The spread of rounds.
    spread: f64,
    /// Between two commits with a step, and around the drift.
    apart: usize,
    /// What each commit of the drift has.
    drift: f64,
}

/// What the issue of the trend asks for: see `docs/history.md`.
const ASKED: Setting = Setting {
    commits: 1000,
    steps: 30,
    placement: 0.02,
    spread: 0.005,
    apart: 8,
    drift: 0.003,
};

/// Over how many commits the drift is spread.
const DRIFT: usize = 20;

/// How fast the machine classes are (ln); the fourth replaces the second in the middle.
const SPEEDS: [f64; 4] = [0.0, 0.35, -0.25, 0.1];

/// How much noisier than the first.
const NOISE: [f64; 4] = [1.0, 1.3, 0.8, 1.1];

fn whole(noise: &mut Noise, below: usize) -> usize {
    (noise.uniform() * below as f64) as usize
}

impl SimulatedHistory {
    fn of(setting: Setting, seed: u64) -> SimulatedHistory {
        let noise = &mut Noise::seeded(seed);
        let Setting { commits, apart, .. } = setting;
        let first = apart + whole(noise, commits - DRIFT - 2 * apart);
        let drift = first..first + DRIFT;
        let mut steps: Vec<usize> = Vec::new();
        while steps.len() < setting.steps {
            let at = apart + whole(noise, commits - 2 * apart);
            let near = steps.iter().any(|other| other.abs_diff(at) < apart);
            let in_drift = at + apart > drift.start && at < drift.end + apart;
            if !near && !in_drift {
                steps.push(at);
            }
        }
        steps.sort_unstable();
        let mut truth = vec![0.0; commits];
        for at in 1..commits {
            truth[at] = truth[at - 1];
            if steps.contains(&at) {
                let size = (1.015 + 0.035 * noise.uniform()).ln();
                truth[at] += if noise.uniform() < 0.5 { size } else { -size };
            }
            if drift.contains(&at) {
                truth[at] += setting.drift;
            }
        }
        let luck: Vec<f64> = (0..commits)
            .map(|_| (setting.placement * noise.uniform()).ln_1p())
            .collect();
        let mut measured = Measured {
            commits: (0..commits).collect(),
            ..Measured::default()
        };
        let mut absolute = vec![truth[0] + luck[0]];
        for at in 1..commits {
            let class = match whole(noise, 3) {
                1 if at >= commits / 2 => 3,
                class => class,
            };
            let spread = setting.spread * NOISE[class];
            let bases = [Some(at - 1), (at % 50 == 0).then_some(0)];
            for base in bases.into_iter().flatten() {
                let change = truth[at] + luck[at] - truth[base] - luck[base];
                measured
                    .edges
                    .push(edge(noise, base, at, class, change, spread));
            }
            let error = spread * noise.gaussian() / 20f64.sqrt();
            let minutes = 0.01 * noise.gaussian();
            absolute.push(truth[at] + luck[at] + SPEEDS[class] + error + minutes);
        }
        SimulatedHistory {
            truth,
            steps,
            drift,
            measured,
            absolute,
        }
    }
}

impl SimulatedHistory {
    /// The series of absolute times: differences between neighbours that know of no error, so that all noise is
    /// taken for noise of the single commit, as detectors of change points take it.
    fn as_absolute(&self) -> Measured {
        let edge = |head: usize| MeasuredEdge {
            base: head - 1,
            head,
            ln_ratio: self.absolute[head] - self.absolute[head - 1],
            std_error: 1e-5,
            freedom: 29.0,
            class: 0,
        };
        Measured {
            commits: self.measured.commits.clone(),
            edges: (1..self.absolute.len()).map(edge).collect(),
            equal: Vec::new(),
        }
    }
}

/// Measured in 8 to 30 rounds.
fn edge(
    noise: &mut Noise,
    base: usize,
    head: usize,
    class: usize,
    change: f64,
    spread: f64,
) -> MeasuredEdge {
    let rounds = 8 + whole(noise, 23);
    let rounds: Vec<f64> = (0..rounds)
        .map(|_| change + spread * noise.gaussian())
        .collect();
    let estimate = Estimate::of(&rounds).unwrap();
    MeasuredEdge {
        base,
        head,
        ln_ratio: estimate.ln_ratio,
        std_error: estimate.std_error,
        freedom: estimate.freedom,
        class,
    }
}

/// What became of a simulated history.
#[derive(Debug, Default, Clone, Copy)]
struct Score {
    /// Steps found at the right commit.
    right: usize,
    /// Steps whose range of commits holds a planted one, but whose likeliest commit is another.
    beside: usize,
    /// Steps whose range holds no planted one.
    wrong: usize,
    drift: bool,
    drifts: usize,
}

fn score(history: &SimulatedHistory, trend: &Trend) -> Score {
    let mut score = Score::default();
    for step in &trend.steps {
        let range = step.earliest..=step.latest;
        if history.steps.contains(&step.commit) {
            score.right += 1;
        } else if history.steps.iter().any(|at| range.contains(at)) {
            score.beside += 1;
        } else {
            score.wrong += 1;
        }
    }
    let found = |drift: &LevelDrift| {
        let middle = (history.drift.start + history.drift.end) / 2;
        (drift.first..=drift.last).contains(&middle)
    };
    score.drift = trend.drifts.iter().any(found);
    score.drifts = trend.drifts.len();
    score
}

fn median_of(mut values: Vec<usize>) -> usize {
    values.sort_unstable();
    values[values.len() / 2]
}

fn run(setting: Setting, seeds: std::ops::Range<u64>) -> Vec<Score> {
    seeds
        .map(|seed| {
            let history = SimulatedHistory::of(setting, seed);
            score(&history, &Trend::of(&history.measured, 0, 0.05))
        })
        .collect()
}

fn told(scores: &[Score]) -> String {
    let sum = |of: fn(&Score) -> usize| scores.iter().map(of).sum::<usize>();
    format!(
        "{} runs: {} steps right in the median run, {} in the worst, {} in all; {} beside, {} false; \
         the drift found in {}, other drifts {}",
        scores.len(),
        median_of(scores.iter().map(|score| score.right).collect()),
        scores.iter().map(|score| score.right).min().unwrap_or(0),
        sum(|score| score.right),
        sum(|score| score.beside),
        sum(|score| score.wrong),
        sum(|score| usize::from(score.drift)),
        sum(|score| score.drifts - usize::from(score.drift)),
    )
}

fn assert_found(setting: Setting, scores: &[Score]) {
    let told = told(scores);
    let right = median_of(scores.iter().map(|score| score.right).collect());
    let wrong: usize = scores.iter().map(|score| score.wrong).sum();
    let drifts = scores.iter().filter(|score| score.drift).count();
    assert!(right * 30 >= setting.steps * 28, "{told}");
    assert!(wrong * 10 <= scores.len().max(10), "{told}");
    assert!(drifts * 10 >= scores.len() * 9, "{told}");
}

#[test]
fn planted_steps_and_a_drift_are_found_across_machines() {
    let setting = Setting {
        commits: 300,
        steps: 9,
        ..ASKED
    };
    assert_found(setting, &run(setting, 0..5));
}

/// `cargo test --release --lib a_hundred_histories -- --ignored --nocapture`: what `docs/history.md` quotes.
#[test]
#[ignore = "a hundred histories of a thousand commits"]
fn a_hundred_histories_of_a_thousand_commits() {
    let scores = run(ASKED, 0..100);
    #[expect(clippy::print_stderr, reason = "it is run for what it prints")]
    {
        eprintln!("paired: {}", told(&scores));
        let absolute = |seed| {
            let history = SimulatedHistory::of(ASKED, seed);
            score(&history, &Trend::of(&history.as_absolute(), 0, 0.05))
        };
        let absolute: Vec<Score> = (0..100).map(absolute).collect();
        eprintln!("absolute: {}", told(&absolute));
    }
    assert_found(ASKED, &scores);
}

#[test]
fn a_history_in_which_nothing_happened_shows_nothing() {
    let setting = Setting {
        commits: 200,
        steps: 0,
        drift: 0.0,
        ..ASKED
    };
    let scores = run(setting, 0..20);
    let found: usize = scores.iter().map(|score| score.wrong + score.drifts).sum();
    assert!(found <= 3, "{}", told(&scores));
}

#[test]
fn levels_are_as_sure_as_they_say() {
    let setting = Setting {
        commits: 120,
        steps: 4,
        ..ASKED
    };
    let (mut inside, mut all) = (0, 0);
    for seed in 0..12 {
        let history = SimulatedHistory::of(setting, seed);
        let trend = Trend::of(&history.measured, 0, 0.05);
        for (level, truth) in trend.levels.iter().zip(&history.truth).skip(1) {
            let level = level.unwrap();
            inside += usize::from((level.ln_ratio - truth).abs() <= 1.96 * level.std_error);
            all += 1;
        }
        assert!(trend.loops.unwrap().p_value > 1e-3, "{:?}", trend.loops);
        assert!(trend.classes.unwrap().p_value > 1e-3, "{:?}", trend.classes);
    }
    let covered = inside as f64 / all as f64;
    assert!((0.90..=0.995).contains(&covered), "{covered}");
}

/// Two builds and what several runs measured of them.
fn pair(changes: &[(f64, usize)]) -> Measured {
    let edge = |(ln_ratio, class): &(f64, usize)| MeasuredEdge {
        base: 0,
        head: 1,
        ln_ratio: *ln_ratio,
        std_error: 0.001,
        freedom: 29.0,
        class: *class,
    };
    Measured {
        commits: vec![0, 1],
        edges: changes.iter().map(edge).collect(),
        equal: Vec::new(),
    }
}

#[test]
fn two_runs_of_the_same_builds_agree_on_placement_and_no_more() {
    let many: Vec<_> = (0..50).map(|_| (0.02, 0)).collect();
    let trend = Trend::of(&pair(&many), 0, 0.05);
    let level = trend.levels[1].unwrap();
    assert!((level.ln_ratio - 0.02).abs() < 1e-6, "{level:?}");
    let luck = trend.placement * 2f64.sqrt();
    assert!(
        trend.placement > 0.0 && level.std_error >= luck,
        "{trend:?}"
    );
}

#[test]
fn machine_classes_that_disagree_are_noticed() {
    let agree = [(0.020, 0), (0.021, 0), (0.020, 1), (0.019, 1)];
    let agree = Trend::of(&pair(&agree), 0, 0.05).classes.unwrap();
    assert!(agree.p_value > 0.05 && agree.freedom == 1, "{agree:?}");
    let differ = [(0.050, 0), (0.051, 0), (0.020, 1), (0.019, 1)];
    let differ = Trend::of(&pair(&differ), 0, 0.05);
    assert!(differ.classes.unwrap().p_value < 1e-6, "{differ:?}");
    assert!(differ.loops.unwrap().p_value < 1e-6, "{differ:?}");
}

#[test]
fn what_was_proved_equal_is_equal_and_what_no_edge_reaches_has_no_level() {
    let mut measured = pair(&[(0.02, 0)]);
    measured.commits = vec![0, 1, 2, 3, 5, 6];
    measured.equal = vec![
        EqualBuilds {
            base: 1,
            head: 2,
            sameness: Sameness::Executable,
        },
        EqualBuilds {
            base: 2,
            head: 3,
            sameness: Sameness::ExecutedCode,
        },
    ];
    let apart = MeasuredEdge {
        base: 4,
        head: 5,
        ..measured.edges[0]
    };
    measured.edges.push(apart);
    let levels = Trend::of(&measured, 0, 0.05).levels;
    assert_eq!(levels[0].unwrap().std_error, 0.0);
    assert_eq!(levels[1], levels[2]);
    assert_eq!(levels[1], levels[3]);
    assert_eq!([levels[4], levels[5], levels[6]], [None; 3]);
    assert_eq!(Trend::of(&measured, 4, 0.05).levels, [None; 7]);
    assert_eq!(Trend::of(&Measured::default(), 0, 0.05).levels, []);
}

#[test]
fn swapping_the_sides_of_every_edge_negates_the_levels() {
    let setting = Setting {
        commits: 100,
        steps: 1,
        ..ASKED
    };
    let measured = SimulatedHistory::of(setting, 3).measured;
    let mut swapped = measured.clone();
    for edge in &mut swapped.edges {
        edge.ln_ratio = -edge.ln_ratio;
    }
    let (one, other) = (Trend::of(&measured, 0, 0.05), Trend::of(&swapped, 0, 0.05));
    assert_eq!(one.steps.len(), other.steps.len());
    for (a, b) in one.levels.iter().zip(&other.levels) {
        assert!((a.unwrap().ln_ratio + b.unwrap().ln_ratio).abs() < 1e-9);
    }
}
