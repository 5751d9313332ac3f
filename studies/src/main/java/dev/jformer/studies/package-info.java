/**
 * The catalogue of papers, and the studies that measure on this machine whether their claims hold.
 *
 * <h2>How a study is written</h2>
 *
 * <p>A study is <em>arms</em>, <em>columns</em> and <em>claims</em>. {@link
 * dev.jformer.studies.tokenmixer.FlowformerStudy} is the model to copy; it had 457 lines when it
 * wrote out its maps, rows and loops, and has 217 now.
 *
 * <ol>
 *   <li>{@link dev.jformer.studies.Arms} names what is compared and what is different in each arm;
 *       a {@linkplain dev.jformer.studies.Arms#control control} is the arm that would show a claim
 *       to be hollow (the technique doing nothing, an untrained or the simplest model).
 *   <li>A {@link dev.jformer.studies.Trial} is run once for each seed: {@code LanguageTrial},
 *       {@code ImageTrial}, {@code TranslationTrial}, {@code SentimentTrial}, {@code ListTrial} and
 *       {@code ForecastTrial} of package {@code trial} train a model, {@code TaskTrial} by a task
 *       of the study's own, and give a {@code TrainingResult} with its losses and metrics. What
 *       they do not measure, {@code trial.examined(kind, (model, result) -> ...)} finds in the
 *       trained model. {@link dev.jformer.studies.Arms#learn} runs all arms with all seeds and
 *       remembers; {@link dev.jformer.studies.Arms#measure} measures each arm once. A study's own
 *       record of results is needed only where a trial's is not enough.
 *   <li>{@link dev.jformer.studies.Measured} has the results: {@code runs.table(title, "mixer",
 *       column("loss", "nats", TrainingResult::finalLoss), fixed("weights", ...))}, {@code
 *       runs.figure(title, x, y, TrainingResult::curve)}, {@code runs.below("loss", OURS, THEIRS,
 *       TrainingResult::finalLoss)}. Columns print mean ± standard deviation by themselves: tables
 *       need no column for the spread.
 *   <li>A {@link dev.jformer.studies.evidence.Claim} is a sentence that stands alone, the paper's
 *       figure, a check, and where there is something to say a remark. Give checks the {@link
 *       dev.jformer.studies.evidence.Estimate} of all seeds or test items, not a mean: the verdict
 *       follows from the spread. Exact numbers (counts of weights, exponents) may be plain doubles.
 *       A tolerance is a factor or a margin: {@code runs.of(PLAIN, loss).times(1.05)}.
 *   <li>A study of a trained model asks {@link dev.jformer.studies.ExperimentContext#reference} for
 *       its folder, and loads it with {@code Models.load}: these are trained properly, once.
 *   <li>Times are measured in turns: {@code TimedArms}, {@code LayerCost}, {@code Cost} or {@code
 *       InterleavedTimer} itself, never a loop of the study's own.
 * </ol>
 *
 * <p>Before, three claims and a table of language models took sixty lines of this kind:
 *
 * <pre>{@code
 * Map<Mixer, List<TrainingResult>> runs = new EnumMap<>(Mixer.class);
 * for (Mixer mixer : Mixer.values()) {
 *   runs.put(mixer, lab.learn("language, " + mixer.title, trial(lab.scale(), mixer), seeds));
 * }
 * double flow = TrainingResult.loss(runs.get(Mixer.FLOW));
 * lab.claim("learns better than linear attention", "30.8 against 37.5",
 *     Check.below("loss", flow, TrainingResult.loss(runs.get(Mixer.LINEAR))));
 * List<List<String>> rows = new ArrayList<>();
 * List<Figure.Series> curves = new ArrayList<>();
 * runs.forEach((mixer, learned) -> {
 *   rows.add(Table.row(mixer.title, TrainingResult.loss(learned), TrainingResult.spread(learned),
 *       learned.get(0).parameters()));
 *   curves.add(learned.get(0).curve(mixer.title));
 * });
 * lab.table(new Table("Language models", List.of("mixer", "loss", "spread", "weights"), rows));
 * lab.figure(new Figure("Language models", "updates", "loss", false, false, curves));
 * }</pre>
 *
 * <p>Now:
 *
 * <pre>{@code
 * Measured<TrainingResult> runs = MIXERS.learn(lab, "language", seeds, mixer -> trial(scale, mixer));
 * lab.claim(
 *     Claim.that("Flow-Attention learns language better than linear attention",
 *             runs.below("loss", FLOW, LINEAR, TrainingResult::finalLoss))
 *         .paper("30.8 against 37.5")
 *         .control(LINEAR));
 * lab.table(runs.table("Language models", "mixer",
 *     column("loss", "nats a byte", TrainingResult::finalLoss),
 *     fixed("weights", TrainingResult::parameters)));
 * lab.figure(runs.figure("Language models", "updates", "loss", TrainingResult::curve));
 * }</pre>
 *
 * <p>{@code MIXERS} is {@code Arms.of(FLOW, new FlowAttention.Config(4)).arm(SOFTMAX,
 * ...).control(LINEAR, ...)}. Names of measurements (here {@code language, Flow-Attention, seed 1})
 * are kept with what was measured: a study that is rewritten keeps them and its order of random
 * draws, so that measured values stay the same.
 */
package dev.jformer.studies;
