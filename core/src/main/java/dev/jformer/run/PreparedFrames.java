package dev.jformer.run;

import dev.jformer.data.FrameSource;
import dev.jformer.model.Model;
import dev.jformer.model.sequence.SequenceModel;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.train.FrameClassification;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Prepared data of classifiers of sequences of vectors. */
abstract class PreparedFrames implements PreparedData {
  private final String source;
  private final List<String> classes;
  private final int features;
  private final int length;

  /**
   * Creates the data.
   *
   * @param source for the summary
   * @param features F, the numbers in a frame
   * @param length T, the frames of a sequence
   */
  PreparedFrames(String source, List<String> classes, int features, int length) {
    this.source = source;
    this.classes = List.copyOf(classes);
    this.features = features;
    this.length = length;
  }

  /** Splits the sequences and draws batches, as a recipe says. */
  abstract FrameSource frames(Recipe recipe);

  /** What a sequence is called, in the plural. */
  abstract String unit();

  final ClassNames classNames() {
    return new ClassNames(classes);
  }

  @Override
  public final SequenceModel.Config fit(Model.Config config) {
    return ((SequenceModel.Config) config).sized(features, length, classes.size());
  }

  @Override
  public final Model build(Model.Config config, Recipe recipe) {
    SequenceModel made = (SequenceModel) config.build();
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      FrameClassification.standardise(made, frames(recipe));
      return made;
    } catch (RuntimeException | Error e) {
      made.close();
      throw e;
    }
  }

  @Override
  public final Task task(Model model, Recipe recipe, long evaluationBatches) {
    return new FrameClassification((SequenceModel) model, frames(recipe), unit());
  }

  @Override
  public final int checkTeacher(Path folder, Model teacher) {
    SequenceModel.Config other = ((SequenceModel) teacher).config();
    if (other.features() != features) {
      throw new RunException(
          "the teacher in "
              + folder
              + " reads "
              + other.features()
              + " numbers in a frame: expected "
              + features);
    }
    return classNames().checkTeacher(folder);
  }

  @Override
  public final DataSummary summary(Task task) {
    FrameSource frames = ((FrameClassification) task).source();
    return new DataSummary(
        source, unit(), frames.training(), frames.heldOut(), classes.size() + " classes");
  }

  @Override
  public void saveCompanions(Path folder) throws IOException {
    classNames().save(folder);
  }
}
