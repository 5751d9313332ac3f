/**
 * The catalogue of papers, and the studies that measure on this machine whether their claims hold.
 *
 * <h2>How a study is written</h2>
 *
 * <p>A study is <em>arms</em>, <em>columns</em> and <em>claims</em>. {@link
 * dev.jformer.studies.tokenmixer.FlowformerStudy} is an example to copy.
 *
 * <ol>
 *   <li>{@link dev.jformer.studies.Arms} names the settings that are compared; a {@linkplain
 *       dev.jformer.studies.Arms#control control} is an arm that disproves a claim if it does as
 *       well as the technique (the technique switched off, an untrained or the simplest model).
 *   <li>A {@link dev.jformer.studies.Trial} is run once for each seed: {@code LanguageTrial},
 *       {@code ImageTrial}, {@code TranslationTrial}, {@code SentimentTrial}, {@code ListTrial} and
 *       {@code ForecastTrial} of package {@code trial} train a model, {@code TaskTrial} on a task
 *       of the study, and return a {@code TrainingResult} with its losses and metrics. {@code
 *       trial.examined(kind, (model, result) -> ...)} measures something else of the trained model.
 *       {@link dev.jformer.studies.Arms#learn} runs all arms with all seeds and saves the results;
 *       {@link dev.jformer.studies.Arms#measure} measures each arm once. A study's own record of
 *       results is needed only where a trial's is not enough.
 *   <li>{@link dev.jformer.studies.Measured} has the results: {@code runs.table(title, "mixer",
 *       column("loss", "nats", TrainingResult::finalLoss), fixed("weights", ...))}, {@code
 *       runs.figure(title, x, y, TrainingResult::curve)}, {@code runs.below("loss", OURS, THEIRS,
 *       TrainingResult::finalLoss)}. Columns print mean ± standard deviation by themselves: tables
 *       need no column for the spread.
 *   <li>A {@link dev.jformer.studies.evidence.Claim} is a complete sentence, the paper's figure, a
 *       check, and if needed a remark. Give checks the {@link
 *       dev.jformer.studies.evidence.Estimate} of all seeds or test items, not a mean: the verdict
 *       follows from the spread. Exact numbers (counts of weights, exponents) may be plain doubles.
 *       A tolerance is a factor or a margin: {@code runs.of(PLAIN, loss).times(1.05)}.
 *   <li>A study of a trained model gets the model's folder from {@link
 *       dev.jformer.studies.ExperimentContext#reference} and loads it with {@code Models.load};
 *       each of these models is trained once and shared.
 *   <li>Times are measured in turns, with {@code TimedArms}, {@code LayerCost}, {@code Cost} or
 *       {@code InterleavedTimer} itself, never with a loop in the study.
 * </ol>
 *
 * <p>For example:
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
 * are saved with the results: if you rewrite a study, keep the names and the order of random draws,
 * so that measured values stay the same.
 */
package dev.jformer.studies;
