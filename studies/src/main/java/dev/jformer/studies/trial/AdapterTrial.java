package dev.jformer.studies.trial;

import dev.jformer.adapt.AdaptedLayer;
import dev.jformer.adapt.Adapter;
import dev.jformer.adapt.Adapters;
import dev.jformer.adapt.LowRankUpdate;
import dev.jformer.model.Encoder;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Training;
import dev.jformer.studies.Trial;
import dev.jformer.train.TrainingConfig;
import java.util.Map;

/**
 * Tuning an adapter of a pretrained encoder, with a new output layer, to classify {@link
 * Questions}. The metric {@code accuracy} is the share of test questions that are right at the end;
 * {@code rank LAYER.PART} is the rank of the update of a matrix, left out where there is none.
 *
 * @param texts what is learned
 * @param adapter kind and settings of the adapter
 * @param training how
 */
public record AdapterTrial(Questions texts, Adapter adapter, TrainingConfig training)
    implements Trial<TrainingResult> {
  /** What the names of metrics that are ranks begin with. */
  public static final String RANK = "rank ";

  @Override
  public Class<TrainingResult> kind() {
    return TrainingResult.class;
  }

  @Override
  public TrainingResult run(Session session) {
    try (PreparedData data = texts.data()) {
      Training made =
          Training.of(
              texts.recipe().withTraining(training.withSeed(session.seed())).withAdapter(adapter),
              data);
      return TrialTraining.run(
          made,
          Encoder.class,
          session.progress(),
          model -> null,
          (model, result) -> ranked(model, result.with("accuracy", texts.right(model))));
    }
  }

  private static TrainingResult ranked(Encoder model, TrainingResult result) {
    TrainingResult all = result;
    for (Map.Entry<String, AdaptedLayer> layer : Adapters.layers(model).entrySet()) {
      for (LowRankUpdate update : layer.getValue().updates(Adapters.DEFAULT)) {
        long part = update.start() / update.rows();
        all = all.with(RANK + layer.getKey() + "." + part, update.rank());
      }
    }
    return all;
  }
}
