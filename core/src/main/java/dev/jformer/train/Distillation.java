package dev.jformer.train;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.model.Model;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Knowledge distillation of <a href="https://arxiv.org/abs/1503.02531">Distilling the Knowledge in
 * a Neural Network</a>, one of the families of <a href="https://arxiv.org/abs/2307.07982">A Survey
 * of Techniques for Optimizing Transformer Inference</a>. A student learns the predictions of a
 * larger teacher beside the targets. The loss is {@code (1 - share) loss + share T²
 * KL(teacher‖student)}. The divergence is averaged over the predictions and is that of
 * probabilities smoothed by a temperature T; T² keeps its gradients as large as at T = 1. Hidden
 * states of equal shape can be compared too, by the cosine of the angle between them, and models of
 * any width by the two distances of <a href="https://arxiv.org/abs/2303.15678">DisWOT: Student
 * Architecture Search for Distillation WithOut Training</a>.
 *
 * <p>Any task with classes can be distilled: language models, masked ones, translators, classifiers
 * of texts, of words and of images. The teacher reads the same batches as the student, with the
 * same masks and the same augmentation, in inference mode.
 *
 * @param teacher the folder of the trained model that teaches
 * @param temperature T
 * @param share weight of the divergence in the loss, from 0 to 1
 * @param hidden weight of the mean distance of hidden states, which is added; 0 for none
 * @param relation weight of the distance of the similarities of samples, by the last block's
 *     output; 0 for none
 * @param semantic weight of the distance of the similarities of classes, by the gradient of the
 *     output layer; 0 for none
 */
@AutoService(Objective.class)
@RecordBuilder
public record Distillation(
    String teacher,
    double temperature,
    double share,
    double hidden,
    double relation,
    double semantic)
    implements Objective, DistillationBuilder.With {
  /** Defaults: half of the loss is the teacher's, at temperature 2. */
  public Distillation() {
    this("", 2, 0.5, 0, 0, 0);
  }

  /** Checks the values. */
  public Distillation {
    Checks.notNull("teacher", teacher);
    Checks.moreThan("temperature", temperature, 0);
    Checks.check(share >= 0 && share <= 1, "share", share, "0 to 1");
    Checks.atLeast("hidden", hidden, 0);
    Checks.atLeast("relation", relation, 0);
    Checks.atLeast("semantic", semantic, 0);
  }

  @Override
  public String type() {
    return "distillation";
  }

  @Override
  public Optional<Path> teacherFolder() {
    return teacher.isEmpty() ? Optional.empty() : Optional.of(Path.of(teacher));
  }

  /** Refuses the task: there is no teacher without a source of models. */
  @Override
  public Task of(Task task) {
    throw new IllegalArgumentException(
        "the objective 'distillation' needs a teacher: give the folder of a trained model with"
            + " --teacher, or as objective.teacher");
  }

  @Override
  public Task of(Task task, ModelLoader models) {
    if (!(task instanceof Classifying student)) {
      throw new IllegalArgumentException(
          "the objective 'distillation' compares probabilities, but this task, a "
              + task.getClass().getSimpleName()
              + ", predicts none: leave out the teacher");
    }
    return teacher.isEmpty() ? of(task) : new Lesson(student, models.teacher(), this);
  }

  /**
   * Wraps a student's task.
   *
   * @param teaching a model of the same family in inference mode, which the caller releases
   */
  public Task of(Classifying student, Model teaching) {
    return new Lesson(student, new Teacher(teaching, 0), this);
  }

  /** Whether more than predictions are compared. */
  boolean comparesFeatures() {
    return hidden > 0 || relation > 0 || semantic > 0;
  }

  private static final class Lesson extends ForwardingTask {
    private final Classifying student;
    private final Teacher teacher;
    private final Distillation settings;

    Lesson(Classifying student, Teacher teacher, Distillation settings) {
      super(student);
      this.student = student;
      this.teacher = teacher;
      this.settings = settings;
    }

    @Override
    public Tensor loss(long index) {
      Passes<?> passes = student.passes(index);
      if (!settings.comparesFeatures()) {
        return loss(passes.get(), taught(passes));
      }
      FeatureLoss features = new FeatureLoss(settings, passes, teacher.model());
      Tensor taught = features.ofTeacher(() -> taught(passes));
      Classifying.Prediction[] prediction = new Classifying.Prediction[1];
      features.ofStudent(() -> prediction[0] = passes.get());
      return loss(prediction[0], taught).add(features.loss(prediction[0], taught));
    }

    private Tensor taught(Passes<?> passes) {
      try (Mode mode = Autograd.noGrad()) {
        return settings.comparesFeatures()
            ? passes.logits(teacher.model())
            : Scope.tidy(() -> passes.logits(teacher.model()));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "the teacher cannot read the student's batches: " + e.getMessage(), e);
      }
    }

    private Tensor loss(Classifying.Prediction prediction, Tensor taught) {
      long own = prediction.logits().size(1);
      long other = taught.size(1);
      long both = own == other || teacher.classes() == 0 ? own : teacher.classes();
      if (other < both || own < both || (teacher.classes() == 0 && own != other)) {
        throw new IllegalArgumentException(
            "the teacher predicts "
                + other
                + " classes, the student "
                + own
                + ": give both the same vocabulary or the same classes");
      }
      Tensor p = smooth(taught, both);
      Tensor q = smooth(prediction.logits(), both);
      Tensor divergence = p.exp().mul(p.sub(q)).sum().div((double) q.size(0));
      AuxiliaryLosses.metric("distance from the teacher", divergence::item);
      double t = settings.temperature;
      return prediction.loss().mul(1 - settings.share).add(divergence.mul(settings.share * t * t));
    }

    /** The logarithms of the smoothed probabilities of the first {@code classes} classes. */
    private Tensor smooth(Tensor logits, long classes) {
      Tensor some = logits.size(1) == classes ? logits : logits.narrow(1, 0, classes);
      return some.div(settings.temperature).logSoftmax(1);
    }
  }
}
