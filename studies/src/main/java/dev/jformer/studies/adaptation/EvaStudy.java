package dev.jformer.studies.adaptation;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.adapt.Adapter;
import dev.jformer.adapt.AdapterSettings;
import dev.jformer.adapt.Eva;
import dev.jformer.adapt.Lora;
import dev.jformer.adapt.Pissa;
import dev.jformer.model.Encoder;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Training;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.ReferenceModels;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.AdapterTrial;
import dev.jformer.studies.trial.Questions;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Random;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * EVA (<a href="https://arxiv.org/abs/2410.07170">Parameter Efficient Fine-tuning via Explained
 * Variance Adaptation</a>): adapters of all-MiniLM-L6-v2 that begin with what its layers see, with
 * and without ranks moved between matrices, learn to classify questions beside LoRA, PiSSA and
 * adapters that begin with random orthonormal directions.
 */
@AutoService(Study.class)
public final class EvaStudy implements Study {
  private static final String EVA = "EVA";
  private static final String EQUAL = "EVA, equal ranks";
  private static final String LORA = "LoRA";
  private static final String PISSA = "PiSSA";
  private static final String ORTHOGONAL = "random orthonormal";
  private static final int EVALUATIONS = 5;

  /** The evaluation whose loss counts as early: the first of five. */
  private static final int EARLY = 1;

  @Override
  public void run(ExperimentContext lab) {
    Questions texts = new Questions(lab.scale(), lab.reference(ReferenceModels.Name.MINILM));
    AdapterSettings settings = new AdapterSettings(lab.pick(2, 4, 16));
    Arms<Adapter> arms =
        Arms.<Adapter>of(EVA, new Eva(settings))
            .arm(EQUAL, new Eva(settings, 1, 0.99, false, 100))
            .arm(LORA, new Lora(settings))
            .arm(PISSA, new Pissa(settings))
            .control(ORTHOGONAL, new OrthogonalStart(settings));
    coverage(lab, texts, arms);
    TrainingConfig training = training(lab);
    Measured<TrainingResult> runs =
        arms.learn(lab, lab.pick(1, 5, 5), adapter -> new AdapterTrial(texts, adapter, training));
    quality(lab, runs, training.steps());
    ranks(lab, runs);
    lab.note(
        "all-MiniLM-L6-v2 with a new output layer, which is trained whole; adapters of rank %d on"
            + " all linear layers of the blocks, alpha twice the rank; %d updates of %d questions,"
            + " AdamW with a peak rate of %s for all arms, warm-up and cosine decay. 5 %% of the"
            + " %,d questions is held out; the accuracy is that on the test questions.",
        settings.rank(),
        training.steps(),
        training.batch(),
        training.learningRate(),
        texts.count());
    lab.note(
        "From batch to batch the search carries as many components as it looks for, and what a"
            + " dropped one would have explained later is lost. So it covers less than an exact"
            + " analysis of all batches does.");
    lab.note(
        "Settings were not changed after a result was seen. Rows of EVA's and of random"
            + " orthonormal matrices A have length 1, those of LoRA about 0.58: the control tells"
            + " what the length alone does.");
  }

  private static TrainingConfig training(ExperimentContext lab) {
    int steps = lab.pick(10, 80, 340);
    return Small.tuning(steps, lab.pick(4, 16, 32), 5e-4, 1)
        .with(t -> t.evaluateEvery(steps / EVALUATIONS));
  }

  private static void coverage(ExperimentContext lab, Questions texts, Arms<Adapter> arms) {
    Measured<Coverage> covered =
        arms.without(LORA)
            .without(PISSA)
            .measure(
                lab,
                "variance covered by ",
                Coverage.class,
                adapter -> covered(lab, texts, adapter));
    Coverage found = covered.first(EVA);
    Coverage random = covered.first(ORTHOGONAL);
    lab.claim(
        "EVA's directions cover at least 0.99 of the variance that exact principal components"
            + " cover, in every layer",
        "the directions that capture the most variance (abstract)",
        ORTHOGONAL,
        Check.all(
            Check.atLeast("EVA, least of the layers", found.least(), 0.99),
            Check.below("random orthonormal directions, mean", random.mean(), 0.99)));
    lab.table(
        covered.table(
            "Variance of the layers' inputs that A covers, as a share of what exact principal"
                + " components of as many rows cover",
            "A",
            fixed("least of the layers", Coverage::least),
            fixed("mean of the layers", Coverage::mean),
            fixed("batches looked at", Coverage::batches)));
  }

  private static Coverage covered(ExperimentContext lab, Questions texts, Adapter adapter) {
    TrainingConfig training = training(lab);
    Random.seed(1);
    try (PreparedData data = texts.data();
        Encoder model =
            (Encoder) Training.of(texts.recipe().withTraining(training), data).build()) {
      var recipe = texts.recipe().withTraining(training);
      return Coverage.of(
          model, data.task(model, recipe, PreparedData.USUAL), adapter, lab.pick(2, 10, 10));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the encoder in " + texts.encoder(), e);
    }
  }

  /** The loss on held-out questions after the first updates. */
  private static double early(TrainingResult run) {
    return run.validation().get(EARLY - 1).loss();
  }

  /** The mean of the losses on held-out questions over the training. */
  private static double mean(TrainingResult run) {
    return run.validation().stream()
        .mapToDouble(TrainingResult.Point::loss)
        .average()
        .orElseThrow();
  }

  private static void quality(ExperimentContext lab, Measured<TrainingResult> runs, int steps) {
    int first = EARLY * steps / EVALUATIONS;
    for (String other : List.of(LORA, PISSA, ORTHOGONAL)) {
      lab.claim(
          "After the first fifth of the updates EVA's loss is lower than with " + other,
          "faster convergence than competitors (abstract)",
          ORTHOGONAL,
          runs.below("nats after " + first + " updates", EVA, other, EvaStudy::early));
    }
    lab.claim(
        "In the mean over the training EVA's loss is lower than LoRA's",
        "faster convergence (abstract)",
        ORTHOGONAL,
        runs.below("nats, mean over the training", EVA, LORA, EvaStudy::mean));
    lab.claim(
        "EVA is more accurate than LoRA in the end",
        "the highest average score in each of several domains (abstract)",
        ORTHOGONAL,
        runs.above("% of test questions", EVA, LORA, TrainingResult::percentRight));
    lab.claim(
        "Ranks that go where they explain most lower the loss below that of equal ranks",
        "(ranks are redistributed by explained variance)",
        EQUAL,
        runs.below("nats, mean over the training", EVA, EQUAL, EvaStudy::mean));
    lab.table(
        runs.table(
            "Adapters of all-MiniLM-L6-v2 on TREC, " + steps + " updates",
            "start",
            column("loss after " + first + " updates", "nats", EvaStudy::early),
            column("loss, mean over the training", "nats", EvaStudy::mean),
            column("final loss", "nats", TrainingResult::finalLoss),
            column("test accuracy (%)", TrainingResult::percentRight)));
    lab.figure(
        TrainingResult.figure(runs, "Loss on held-out questions, first seed", "nats a question"));
  }

  /** A row for each kind of matrix, a column for each block; of the first seed. */
  private static void ranks(ExperimentContext lab, Measured<TrainingResult> runs) {
    Map<String, Map<Integer, Double>> ranks = new TreeMap<>();
    Set<Integer> blocks = new TreeSet<>();
    runs.first(LORA)
        .metrics()
        .keySet()
        .forEach(name -> addRank(name, 0, ranks, blocks)); // all matrices that there are
    runs.first(EVA).metrics().forEach((name, rank) -> addRank(name, rank, ranks, blocks));
    List<String> titles = new ArrayList<>(List.of("matrix"));
    blocks.forEach(block -> titles.add("block " + (block + 1)));
    List<List<String>> rows = new ArrayList<>();
    ranks.forEach(
        (kind, each) -> {
          List<Object> cells = new ArrayList<>(List.of(kind));
          blocks.forEach(block -> cells.add(each.get(block).longValue()));
          rows.add(Table.row(cells.toArray()));
        });
    lab.table(new Table("Ranks that EVA gave, first seed", titles, rows));
  }

  private static void addRank(
      String metric, double rank, Map<String, Map<Integer, Double>> ranks, Set<Integer> blocks) {
    if (metric.startsWith(AdapterTrial.RANK)) {
      String name = metric.substring(AdapterTrial.RANK.length());
      int block = Integer.parseInt(name.replaceAll("^\\D*(\\d+)\\..*", "$1"));
      String kind = name.replaceAll("^\\D*\\d+\\.", "");
      blocks.add(block);
      ranks.computeIfAbsent(kind, k -> new TreeMap<>()).put(block, rank);
    }
  }
}
