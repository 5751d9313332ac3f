package dev.jformer.studies.incontext;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.data.incontext.BurstySequences;
import dev.jformer.data.incontext.BurstySequences.Kind;
import dev.jformer.data.incontext.GaussianClasses;
import dev.jformer.data.incontext.PictureClasses;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.recurrent.Lstm;
import dev.jformer.model.ExemplarModel;
import dev.jformer.model.StackConfig;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.LearnedPosition;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.train.ExemplarLearning;
import dev.jformer.train.TrainingConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Learning in context or in weights, by the distribution of the data (<a
 * href="https://arxiv.org/abs/2205.05055">Data Distributional Properties Drive Emergent In-Context
 * Learning in Transformers</a>): burstiness, the number of classes, and how uneven they are, on
 * classes that are Gaussian clouds; and an LSTM beside the Transformer.
 */
@AutoService(Study.class)
public final class DataDistributionalPropertiesStudy implements Study {
  private static final String TRANSFORMER = "Transformer";
  private static final String LSTM = "LSTM";
  private static final double BURSTINESS = 0.9;
  private static final int LABELS = 32;
  private static final double NOISE = 0.3;
  private static final String UNIFORM = "all classes alike";
  private static final String BURSTY = "burstiness 0.9";

  /** The accuracy of who repeats any label of the context: it has two, each four times. */
  private static final double COPYING = 0.5;

  /** What is trained on what. */
  private record Setting(int classes, double burstiness, double zipf, boolean recurrent) {
    String name() {
      return "%s, %d classes, burstiness %s, exponent %s"
          .formatted(recurrent ? LSTM : TRANSFORMER, classes, burstiness, zipf);
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    List<Integer> counts =
        lab.pick(List.of(8, 64), List.of(64, 512, 2048), List.of(64, 512, 2048, 8192));
    int usual = counts.get(counts.size() - 1);
    List<Double> shares =
        lab.pick(List.of(0.0, 1.0), List.of(0.0, 0.5, 1.0), List.of(0.0, 0.25, 0.5, 0.75, 1.0));
    List<Double> exponents =
        lab.pick(List.of(0.0, 1.0), List.of(0.0, 1.0, 2.0), List.of(0.0, 0.5, 1.0, 1.5, 2.0));
    Map<String, Setting> bursty =
        settings("burstiness ", shares, share -> new Setting(usual, share, 0, false));
    Map<String, Setting> classes =
        settings("classes ", counts, count -> new Setting(count, BURSTINESS, 0, false));
    Map<String, Setting> uneven =
        settings(
            "exponent ", exponents, exponent -> new Setting(usual, BURSTINESS, exponent, false));
    Map<String, Setting> kinds = new LinkedHashMap<>();
    kinds.put(TRANSFORMER, new Setting(usual, BURSTINESS, 0, false));
    kinds.put(LSTM, new Setting(usual, BURSTINESS, 0, true));
    List<Setting> all =
        Stream.of(bursty, classes, uneven, kinds)
            .flatMap(each -> each.values().stream())
            .distinct()
            .toList();
    Measured<TrainingResult> runs =
        Arms.named(all, Setting::name).learn(lab, seeds(lab), setting -> trial(lab, setting));
    claims(lab, of(runs, bursty), of(runs, classes), of(runs, uneven), of(runs, kinds));
    report(lab, of(runs, bursty), "Burstiness", shares);
    report(lab, of(runs, classes), "Number of classes", counts);
    report(lab, of(runs, uneven), "Exponent of the classes' probabilities", exponents);
    lab.table(table(of(runs, kinds), "Attention and recurrence, burstiness 0.9"));
    characters(lab);
    lab.note(
        "Items have %d dimensions, noise of 0.3 around the mean of their class, and one of %d"
            + " labels. Models of 2 layers and width %d, %,d updates with batches of 32, learning"
            + " rate 0.001, weights that begin with a deviation of %s; %,d sequences of each kind"
            + " are measured. In context: classes that are new, with the labels 0 and 1; who"
            + " repeats any label of the context is right in half of them. In weights: the class"
            + " is not in the context; chance is 1 in %d. Unless it is varied, burstiness is %s,"
            + " there are %d classes, and they are equally frequent.",
        dimension(lab),
        LABELS,
        width(lab),
        steps(lab),
        deviation(lab),
        evaluated(lab),
        LABELS,
        BURSTINESS,
        usual);
  }

  /** The paper's own items: drawings of characters. */
  private static void characters(ExperimentContext lab) {
    PictureClasses pictures = Characters.read(lab.scale());
    int classes = pictures.learned().length;
    Map<String, Setting> settings = new LinkedHashMap<>();
    settings.put(UNIFORM, new Setting(classes, 0, 0, false));
    settings.put(BURSTY, new Setting(classes, BURSTINESS, 0, false));
    settings.put(LSTM, new Setting(classes, BURSTINESS, 0, true));
    Measured<TrainingResult> runs =
        Arms.of(settings)
            .learn(lab, "characters", seeds(lab), setting -> trial(lab, setting, pictures));
    lab.claim(
        "Of drawings of characters, too, a Transformer learns more in context if sequences are"
            + " bursty",
        "in-context learning rises with burstiness (figure 2)",
        UNIFORM,
        runs.above(
            "accuracy in context", BURSTY, UNIFORM, DataDistributionalPropertiesStudy::inContext));
    lab.table(table(runs, "Drawings of characters"));
    lab.note(
        "Characters of Omniglot, in %d x %d means of their ink: %,d classes to learn from, eight of"
            + " each character by turning and mirroring it, and %,d new ones of other alphabets, 20"
            + " drawings each. Items are read by a linear layer; the paper has a ResNet. Accuracy"
            + " in weights is that on drawings which were trained on.",
        Characters.SIZE, Characters.SIZE, classes, pictures.others().length);
  }

  private static int dimension(ExperimentContext lab) {
    return lab.pick(8, 32, 64);
  }

  private static int width(ExperimentContext lab) {
    return lab.pick(16, 64, 64);
  }

  private static int steps(ExperimentContext lab) {
    return lab.pick(2, 12_000, 100_000);
  }

  /** GPT-2's deviation keeps narrow models at a plateau; see {@link ContextModels}. */
  private static double deviation(ExperimentContext lab) {
    return lab.pick(0.25, 0.125, 0.02);
  }

  private static int evaluated(ExperimentContext lab) {
    return lab.pick(20, 2000, 2000);
  }

  private static int seeds(ExperimentContext lab) {
    return lab.pick(1, 1, 3);
  }

  private interface Chosen<T> {
    Setting of(T value);
  }

  private static <T> Map<String, Setting> settings(String name, List<T> values, Chosen<T> chosen) {
    Map<String, Setting> settings = new LinkedHashMap<>();
    values.forEach(value -> settings.put(name + value, chosen.of(value)));
    return settings;
  }

  /** The runs of some settings, by their names. */
  private static Measured<TrainingResult> of(
      Measured<TrainingResult> runs, Map<String, Setting> settings) {
    Map<String, List<TrainingResult>> some = new LinkedHashMap<>();
    settings.forEach((name, setting) -> some.put(name, runs.arm(setting.name()).runs()));
    return Measured.ofRuns(some);
  }

  private static Trial<TrainingResult> trial(ExperimentContext lab, Setting setting) {
    return trial(lab, setting, null);
  }

  /** As above, with pictures as items; null for clouds of the seed. */
  private static Trial<TrainingResult> trial(
      ExperimentContext lab, Setting setting, PictureClasses pictures) {
    int dimension = pictures == null ? dimension(lab) : pictures.dimension();
    TokenMixer.Config mixer =
        setting.recurrent() ? new Lstm.Config() : new SoftmaxAttention.Config(4, 0);
    ExemplarModel.Config model =
        new ExemplarModel.Config(dimension, LABELS, BurstySequences.CONTEXT + 1, new StackConfig())
            .withStack(s -> s.layers(2).width(width(lab)).position(new LearnedPosition.Config()))
            .withBlock(b -> b.mixer(mixer).init(new BlockContext.Init(deviation(lab), true)));
    TrainingConfig training = Small.training(steps(lab), 32, 1).withEvaluateEvery(steps(lab));
    return new TaskTrial<ExemplarModel, ExemplarLearning>(
        model::build,
        training,
        (built, session) ->
            new ExemplarLearning(
                built,
                new BurstySequences(
                    setting.classes(),
                    LABELS,
                    pictures == null
                        ? new GaussianClasses(dimension, NOISE, session.seed())
                        : pictures,
                    setting.burstiness(),
                    setting.zipf(),
                    session.seed()),
                32,
                session.seed(),
                evaluated(lab)),
        (built, task) ->
            Map.of(
                ExemplarLearning.IN_CONTEXT, task.accuracy(Kind.IN_CONTEXT),
                ExemplarLearning.IN_WEIGHTS, task.accuracy(Kind.IN_WEIGHTS)));
  }

  private static double inContext(TrainingResult run) {
    return run.metric(ExemplarLearning.IN_CONTEXT);
  }

  private static double inWeights(TrainingResult run) {
    return run.metric(ExemplarLearning.IN_WEIGHTS);
  }

  private static String last(Measured<TrainingResult> runs) {
    return runs.names().get(runs.names().size() - 1);
  }

  private static String first(Measured<TrainingResult> runs) {
    return runs.names().get(0);
  }

  private static void claims(
      ExperimentContext lab,
      Measured<TrainingResult> bursty,
      Measured<TrainingResult> classes,
      Measured<TrainingResult> uneven,
      Measured<TrainingResult> kinds) {
    lab.claim(
        "A Transformer learns more in context from bursty sequences than from others",
        "in-context learning rises with burstiness (figure 2)",
        first(bursty),
        bursty.above(
            "accuracy in context",
            last(bursty),
            first(bursty),
            DataDistributionalPropertiesStudy::inContext));
    lab.claim(
        "A Transformer learns more in context from many classes than from few",
        "in-context learning rises with the number of classes (figure 3)",
        first(classes),
        classes.above(
            "accuracy in context",
            last(classes),
            first(classes),
            DataDistributionalPropertiesStudy::inContext));
    String middle = "exponent 1.0";
    lab.claim(
        "Where the probability of classes falls with an exponent of 1, a Transformer learns both in"
            + " context and in weights",
        "both kinds of learning at an exponent near 1 (figure 6)",
        "repeating any label of the context",
        Check.all(
            Check.above(
                "accuracy in context",
                uneven.of(middle, DataDistributionalPropertiesStudy::inContext),
                COPYING + 0.1),
            Check.above(
                "accuracy in weights",
                uneven.of(middle, DataDistributionalPropertiesStudy::inWeights),
                2.0 / LABELS)));
    lab.claim(
        "An LSTM of equal width does not learn in context what a Transformer learns",
        "no in-context learning in recurrent models (figure 7)",
        TRANSFORMER,
        Check.all(
            Check.atMost(
                "accuracy of the LSTM",
                kinds.of(LSTM, DataDistributionalPropertiesStudy::inContext),
                COPYING + 0.1),
            Check.above(
                "accuracy of the Transformer",
                kinds.of(TRANSFORMER, DataDistributionalPropertiesStudy::inContext),
                COPYING + 0.1)));
  }

  private static Table table(Measured<TrainingResult> runs, String title) {
    return runs.table(
        title,
        "arm",
        column("accuracy in context", DataDistributionalPropertiesStudy::inContext),
        column("accuracy in weights", DataDistributionalPropertiesStudy::inWeights),
        column("seconds of training", TrainingResult::seconds));
  }

  private static void report(
      ExperimentContext lab,
      Measured<TrainingResult> runs,
      String title,
      List<? extends Number> values) {
    lab.table(table(runs, title));
    lab.figure(
        Figure.of(
            "Accuracy by " + title.substring(0, 1).toLowerCase(Locale.ROOT) + title.substring(1),
            title,
            "accuracy",
            line("in context", runs, values, DataDistributionalPropertiesStudy::inContext),
            line("in weights", runs, values, DataDistributionalPropertiesStudy::inWeights)));
  }

  private interface Value {
    double of(TrainingResult run);
  }

  private static Figure.Series line(
      String name, Measured<TrainingResult> runs, List<? extends Number> values, Value value) {
    return Figure.Series.line(
        name,
        values,
        IntStream.range(0, values.size())
            .mapToObj(i -> runs.of(runs.names().get(i), value::of).value())
            .toList());
  }
}
