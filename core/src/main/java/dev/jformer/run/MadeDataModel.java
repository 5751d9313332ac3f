package dev.jformer.run;

import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import java.nio.file.Path;

/**
 * A trained model whose data was made. It is measured on data that its {@code problem.json}
 * describes.
 *
 * @param <O> what the file keeps of the training
 */
abstract class MadeDataModel<O> extends TrainedModel {
  private final Class<O> kind;
  private final String does;
  private final String tells;

  /**
   * As {@link TrainedModel}.
   *
   * @param does what the model does with data that is made, where others are refused
   * @param tells what the file says, where it is missing
   */
  MadeDataModel(
      Job job,
      Path folder,
      Model model,
      ForwardPasses passes,
      Class<O> kind,
      String does,
      String tells) {
    super(job, folder, model, passes);
    this.kind = kind;
    this.does = does;
    this.tells = tells;
  }

  @Override
  public final boolean hasHeldOutData() {
    return true;
  }

  @Override
  public final EvaluationResult evaluate(EvaluationRequest request, Progress progress) {
    ProblemFile.refuseData(request, folder(), does);
    O origin =
        ProblemFile.read(
            folder(), kind, folder().resolve(ProblemFile.NAME) + " is missing: it says " + tells);
    try (Mode mode = Autograd.inference()) {
      return measure(origin);
    }
  }

  /** Measures the model on held-out data. */
  abstract EvaluationResult measure(O origin);
}
