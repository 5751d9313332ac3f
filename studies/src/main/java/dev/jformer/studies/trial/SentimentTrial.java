package dev.jformer.studies.trial;

import dev.jformer.model.Encoder;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.train.TrainingConfig;
import java.util.Map;

/**
 * Tuning a pretrained encoder to classify {@link Sentiment}. The metric {@code accuracy} is the
 * share of test sentences that are right at the end.
 *
 * @param texts what is learned
 * @param pretrained where it begins, compressed or not; it is not changed
 * @param training how
 */
public record SentimentTrial(Sentiment texts, Encoder pretrained, TrainingConfig training)
    implements Trial<TrainingResult> {
  @Override
  public Class<TrainingResult> kind() {
    return TrainingResult.class;
  }

  @Override
  public TrainingResult run(Session session) {
    return run(session, (model, result) -> result.with("accuracy", texts.right(model)));
  }

  /** The same with results of another kind, which an examination finds. */
  public <R extends Record> Trial<R> examined(Class<R> kind, Examination<Encoder, R> examination) {
    return Trial.of(kind, session -> run(session, examination));
  }

  private <R> R run(Session session, Examination<Encoder, R> examination) {
    try (Encoder model = texts.classifier(pretrained, session.seed())) {
      TrainingCurve course =
          TrainingCurve.of(
              model,
              texts.task(model, training.batch(), session.seed()),
              training.withSeed(session.seed()),
              done -> session.progress().at(done, ""));
      model.train(false);
      try (Mode mode = Autograd.noGrad()) {
        return examination.of(
            model, TrainingResult.of(course, training.steps(), model.parameterCount(), Map.of()));
      }
    }
  }
}
