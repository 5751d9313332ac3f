package dev.jformer.train;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.model.Model;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Self-distillation from a frozen random teacher, of <a
 * href="https://arxiv.org/abs/2302.12091">Random Teachers are Good Teachers</a>. The model learns
 * the outputs of a copy of its own start, without labels: the loss is the cross-entropy of both
 * softmaxes, {@code -Σ p(teacher) log p(student)}. The teacher is in inference mode. Evaluations
 * are those of the task, so they say nothing of what is learned; use a probe ({@link LinearProbe},
 * {@link NearestNeighbours}).
 *
 * <p>The student begins near its teacher: at {@code (1 - α) teacher + α fresh}, where the fresh
 * weights are another draw. With {@code preserving}, that is divided by {@code √(2α² - 2α + 1)}, so
 * that the weights vary as before. At α = 0 it begins as the teacher itself; what moves it then is
 * what differs between training and inference, such as dropout or batch normalisation, and rounding
 * errors that Adam scales up. At α = 1 it begins anywhere.
 *
 * @param alpha α, how far the student begins from its teacher
 * @param preserving whether weights of a student are scaled so that their variance stays
 * @param temperature of both softmaxes
 */
@AutoService(Objective.class)
@RecordBuilder
public record RandomTeacher(double alpha, boolean preserving, double temperature)
    implements Objective, RandomTeacherBuilder.With {
  /** Defaults: a student near its teacher. */
  public RandomTeacher() {
    this(0.01, true, 1);
  }

  /** Checks the values. */
  public RandomTeacher {
    Checks.check(alpha >= 0 && alpha <= 1, "alpha", alpha, "0 to 1");
    Checks.moreThan("temperature", temperature, 0);
  }

  @Override
  public String type() {
    return "random-teacher";
  }

  /** Refuses the task: the teacher is a copy of the model, which has to be made. */
  @Override
  public Task of(Task task) {
    throw new IllegalArgumentException(
        "the objective 'random-teacher' copies the model: train it by a recipe");
  }

  @Override
  public Task of(Task task, ModelLoader models) {
    if (!(task instanceof Classifying student)) {
      throw new IllegalArgumentException(
          "the objective 'random-teacher' compares probabilities, but this task, a "
              + task.getClass().getSimpleName()
              + ", predicts none: use 'plain'");
    }
    Tensor random = Random.state();
    Model model = student.passes(0).model();
    Random.restore(random);
    Model teacher = models.copy(model);
    depart(model);
    return of(student, teacher);
  }

  /**
   * Wraps a student's task.
   *
   * @param teacher in inference mode, which the caller releases
   */
  public Task of(Classifying student, Model teacher) {
    return new Lesson(student, teacher, temperature);
  }

  /** Moves the weights of a model away from where they are, by α, towards a fresh draw. */
  public void depart(Model model) {
    if (alpha == 0) {
      return;
    }
    double scale = preserving ? Math.sqrt(2 * alpha * alpha - 2 * alpha + 1) : 1;
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        Model fresh = model.config().build()) {
      var others = fresh.parameters();
      model
          .parameters()
          .forEach(
              (name, parameter) -> {
                if (parameter.value().requiresGrad()) {
                  parameter.copyFrom(mixed(parameter, others.get(name), scale));
                }
              });
    }
  }

  /** Vectors, such as gains of norms, are the same in all draws and are not scaled. */
  private Tensor mixed(Parameter parameter, Parameter other, double scale) {
    Tensor own = parameter.value().detach();
    Tensor mixed = own.mul(1 - alpha).add(other.value().detach().mul(alpha));
    return own.rank() >= 2 ? mixed.div(scale) : mixed;
  }

  private static final class Lesson extends ForwardingTask {
    private final Classifying student;
    private final Model teacher;
    private final double temperature;

    Lesson(Classifying student, Model teacher, double temperature) {
      super(student);
      this.student = student;
      this.teacher = teacher;
      this.temperature = temperature;
    }

    @Override
    public Tensor loss(long index) {
      Passes<?> passes = student.passes(index);
      Tensor taught;
      try (Mode mode = Autograd.noGrad()) {
        taught = Scope.tidy(() -> passes.logits(teacher).div(temperature).softmax(1));
      }
      Tensor learned = passes.logits(passes.model()).div(temperature).logSoftmax(1);
      AuxiliaryLosses.predictions(learned.size(0));
      return taught.mul(learned).sum().div((double) learned.size(0)).neg();
    }
  }
}
