package dev.jformer.studies.channelmixer;

import com.google.auto.service.AutoService;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.expert.Mohd;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Projection;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.InterleavedTimer;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Mixture of Hidden Dimensions (arXiv 2412.05644): language models whose tokens use half of the
 * dimensions of every matrix, beside dense ones of the same size, and wider ones that use a
 * quarter, beside dense ones of the same computation.
 */
@AutoService(Study.class)
public final class MohdStudy implements Study {
  private static final String DENSE = "dense";
  private static final String HALF = "MoHD, half active";
  private static final String WIDE = "MoHD, twice as wide, a quarter active";

  /** Losses closer than this share count as near each other. */
  private static final double NEAR = 0.02;

  /**
   * Times of layers.
   *
   * @param times those of the first
   */
  public record Ratios(List<Double> times) {}

  @Override
  public String slug() {
    return "mohd";
  }

  @Override
  public void run(ExperimentContext lab) {
    int width = lab.scale().pick(16, 96, 384);
    Map<String, List<TrainingResult>> runs = new LinkedHashMap<>();
    runs.put(DENSE, learn(lab, DENSE, width, new Linear.Config()));
    runs.put(HALF, learn(lab, HALF, width, new Mohd.Config()));
    runs.put(WIDE, learn(lab, WIDE, 2 * width, new Mohd.Config(8, 1, 1, 0.01)));
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    runs.forEach(
        (name, learned) -> {
          rows.add(
              Table.row(
                  name,
                  TrainingResult.loss(learned),
                  TrainingResult.spread(learned),
                  learned.get(0).parameters(),
                  learned.get(0).flopsPerUnit() / 1e6,
                  Seeds.mean(learned, TrainingResult::unitsPerSecond)));
          curves.add(learned.get(0).curve(name));
        });
    double dense = TrainingResult.loss(runs.get(DENSE));
    double share = runs.get(HALF).get(0).flopsPerUnit() / runs.get(DENSE).get(0).flopsPerUnit();
    lab.claim(
        "MoHD with half of the dimensions active is near the dense model of its size, or above",
        "1.7 % better with 50 % fewer active weights (abstract)",
        Check.atMost(
            "loss over the dense one's", TrainingResult.loss(runs.get(HALF)) / dense, 1 + NEAR));
    lab.claim(
        "At equal computation a wider one beats the dense model",
        "3.7 % better with three times the weights at constant activation (abstract)",
        Check.below("loss (nats a byte)", TrainingResult.loss(runs.get(WIDE)), dense),
        "Equal in the matrices of the blocks; attention between tokens and the output layer cost"
            + " twice as much at twice the width, as the table counts.");
    lab.claim(
        "Half of the dimensions are computed with less than two thirds of the operations",
        "50 % fewer active weights (abstract)",
        Check.below("operations over the dense one's", share, 2.0 / 3),
        "Attention between tokens, router, fusion and the output layer are not halved.");
    lab.table(
        new Table(
            "Language models of bytes after " + steps(lab.scale()) + " updates",
            List.of(
                "model",
                "loss (nats a byte)",
                "spread",
                "weights",
                "operations a token (1e6)",
                "tokens/s"),
            rows));
    lab.figure(
        new Figure("Held-out loss, first seed", "updates", "nats a byte", false, false, curves));
    cost(lab);
  }

  private static int steps(Scale scale) {
    return scale.pick(3, 300, 20_000);
  }

  private static List<TrainingResult> learn(
      ExperimentContext lab, String name, int width, Projection projection) {
    LanguageTrial trial =
        new LanguageTrial(
            Small.language(
                lab.scale().pick(1, 3, 6),
                width,
                lab.scale().pick(16, 128, 256),
                new dev.jformer.position.LearnedPosition.Config(),
                new SoftmaxAttention.Config(4, 0),
                new Mlp.Config(),
                projection),
            Small.training(steps(lab.scale()), lab.scale().pick(2, 12, 32), 1),
            lab.scale().pick(2, 20, 100),
            null);
    return lab.learn(name, trial, lab.scale().pick(1, 2, 3));
  }

  private static void cost(ExperimentContext lab) {
    int tokens = lab.scale().pick(32, 4096, 4096);
    int[] widths =
        lab.scale()
            .pick(new int[] {16, 32}, new int[] {256, 512, 1024}, new int[] {512, 1024, 2048});
    Map<String, Projection> layers = new LinkedHashMap<>();
    layers.put(DENSE, new Linear.Config());
    layers.put(HALF, new Mohd.Config());
    layers.put("MoHD, a quarter active", new Mohd.Config(8, 1, 1, 0));
    List<Ratios> ratios = new ArrayList<>();
    for (int width : widths) {
      ratios.add(
          lab.measure(
              "time of layers of width " + width,
              Ratios.class,
              () -> times(layers.values(), width, tokens)));
    }
    List<List<String>> rows = new ArrayList<>();
    List<String> names = List.copyOf(layers.keySet());
    for (int n = 0; n < names.size(); n++) {
      int layer = n;
      List<Object> row = new ArrayList<>(List.of(names.get(n)));
      ratios.forEach(r -> row.add(r.times().get(layer)));
      rows.add(Table.row(row.toArray()));
    }
    List<String> head = new ArrayList<>(List.of("layer"));
    for (int width : widths) {
      head.add("width " + width);
    }
    lab.claim(
        "A wide layer with half of its dimensions active takes less time than the dense one",
        "(the paper counts active weights)",
        Check.below("times dense, widest", ratios.get(widths.length - 1).times().get(1), 1));
    lab.table(
        new Table(
            "Time of D x D layers on " + tokens + " tokens in inference, times the dense one's",
            head,
            rows));
  }

  /** Layers beside each other on so many tokens. */
  private static Ratios times(Collection<Projection> projections, int width, int tokens) {
    Random.seed(1);
    List<Layer> layers =
        projections.stream()
            .map(each -> each.build(width, width, true, Initializer.normal(0.02)))
            .toList();
    try {
      Tensor x = Tensor.randn(tokens, width);
      List<Runnable> work = new ArrayList<>();
      for (Layer layer : layers) {
        layer.train(false);
        work.add(
            () -> {
              try (Mode mode = Autograd.noGrad()) {
                layer.forward(x);
              }
            });
      }
      List<Double> seconds = InterleavedTimer.seconds(work, 10, 15);
      return new Ratios(seconds.stream().map(s -> s / seconds.get(0)).toList());
    } finally {
      layers.forEach(Layer::close);
    }
  }
}
