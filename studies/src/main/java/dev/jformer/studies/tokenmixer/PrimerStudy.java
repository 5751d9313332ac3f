package dev.jformer.studies.tokenmixer;

import com.google.auto.service.AutoService;
import dev.jformer.config.Configs;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.PrimerAttention;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Activation;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.train.AdamW;
import dev.jformer.train.Schedule;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Primer (arXiv 2109.08668): how many updates and seconds a GPT with squared ReLU, with
 * convolutions on queries, keys and values, and with both needs to reach the final loss of the
 * plain one. All have the same settings, which were chosen for the plain one.
 */
@AutoService(Study.class)
public final class PrimerStudy implements Study {
  private static final String PLAIN = "GPT";
  private static final String SQUARED = "squared ReLU";
  private static final String CONVOLVED = "multi-DConv-head attention";
  private static final String PRIMER = "both (Primer-EZ)";

  @Override
  public String slug() {
    return "primer";
  }

  @Override
  public void run(ExperimentContext lab) {
    int heads = lab.scale().pick(2, 4, 8);
    TokenMixer.Config attention = new SoftmaxAttention.Config(heads, 0);
    TokenMixer.Config convolved = new PrimerAttention.Config(heads, 0);
    Map<String, List<TrainingResult>> runs = new LinkedHashMap<>();
    runs.put(PLAIN, learn(lab, PLAIN, attention, Activation.GELU));
    runs.put(SQUARED, learn(lab, SQUARED, attention, Activation.SQUARED_RELU));
    runs.put(CONVOLVED, learn(lab, CONVOLVED, convolved, Activation.GELU));
    runs.put(PRIMER, learn(lab, PRIMER, convolved, Activation.SQUARED_RELU));

    List<List<String>> rows = new ArrayList<>();
    Map<String, double[]> shares = new LinkedHashMap<>();
    runs.forEach(
        (name, learned) -> {
          double[] share = shares(runs.get(PLAIN), learned);
          shares.put(name, share);
          rows.add(
              Table.row(
                  name,
                  TrainingResult.loss(learned),
                  TrainingResult.spread(learned),
                  learned.get(0).unitsPerSecond(),
                  learned.get(0).parameters(),
                  share[0],
                  share[1]));
        });
    lab.table(
        new Table(
            "Until the plain GPT's final loss, as shares of its steps and seconds",
            List.of(
                "model", "loss, nats/byte", "spread", "tokens/s", "weights", "steps", "seconds"),
            rows));
    claim(lab, SQUARED, shares);
    claim(lab, CONVOLVED, shares);
    claim(lab, PRIMER, shares);
    lab.figure(curves("Held-out loss by step", "steps", runs, p -> (double) p.step()));
    lab.figure(curves("Held-out loss by time", "seconds", runs, TrainingResult.Point::seconds));
    lab.note(
        "The share of a seed is where its loss curve first meets the final loss of the plain GPT of"
            + " the same seed, over where that one's own curve first does, interpolated between"
            + " evaluations; the table gives the mean. All"
            + " learning rates follow the same cosine, so a model that gets there early does so at"
            + " a higher rate than the plain one had at its end.");
  }

  private static void claim(ExperimentContext lab, String name, Map<String, double[]> shares) {
    double[] share = shares.get(name);
    boolean all = name.equals(PRIMER);
    lab.claim(
        name + " reaches the plain GPT's final loss in fewer steps and less time",
        all ? "up to 4x less compute at 500M parameters, all of Primer (abstract)" : "",
        Check.all(
            Check.below("share of the steps", share[0], 1),
            Check.below("share of the seconds", share[1], 1)));
  }

  /** Mean shares of steps and of seconds; NaN if one seed never gets there. */
  private static double[] shares(List<TrainingResult> plain, List<TrainingResult> other) {
    double[] sum = new double[2];
    for (int seed = 0; seed < plain.size(); seed++) {
      TrainingResult base = plain.get(seed);
      double goal = base.finalLoss();
      sum[0] += other.get(seed).stepsTo(goal) / base.stepsTo(goal) / plain.size();
      sum[1] += other.get(seed).secondsTo(goal) / base.secondsTo(goal) / plain.size();
    }
    return sum;
  }

  private static List<TrainingResult> learn(
      ExperimentContext lab, String name, TokenMixer.Config mixer, Activation activation) {
    int steps = lab.scale().pick(4, 540, 50_000);
    CausalLm.Config base =
        (CausalLm.Config)
            Configs.parse("{\"model\":\"causal-lm\",\"bias\":false}", Model.Config.class);
    CausalLm.Config model =
        new CausalLm.Config(
            lab.scale().pick(1, 3, 12),
            lab.scale().pick(16, 96, 768),
            256,
            lab.scale().pick(16, 128, 1024),
            base.position(),
            mixer,
            new Mlp.Config(activation, 4, 0),
            base.norm(),
            base.placement(),
            false,
            true,
            0,
            base.init(),
            base.projection());
    TrainingConfig training =
        new TrainingConfig(
            steps,
            lab.scale().pick(4, 16, 32),
            1,
            lab.scale().pick(1e-3, 2e-3, 6e-4),
            new Schedule(Schedule.Shape.COSINE, Math.max(1, steps / 20), 0.1),
            new AdamW.Config(),
            1,
            TrainingConfig.Precision.FLOAT32,
            0,
            Math.max(1, steps / 18),
            Math.max(1, steps / 6),
            0,
            1);
    LanguageTrial trial = new LanguageTrial(model, training, lab.scale().pick(2, 20, 100), null);
    return lab.learn(name, trial, lab.scale().pick(1, 3, 3));
  }

  private static Figure curves(
      String title,
      String x,
      Map<String, List<TrainingResult>> runs,
      java.util.function.Function<TrainingResult.Point, Double> position) {
    List<Figure.Series> series = new ArrayList<>();
    runs.forEach(
        (name, learned) -> {
          List<TrainingResult.Point> points = learned.get(0).validation();
          series.add(
              Figure.Series.line(
                  name,
                  points.stream().map(position).toList(),
                  points.stream().map(TrainingResult.Point::loss).toList()));
        });
    return new Figure(title, x, "loss, nats/byte", false, false, series);
  }
}
