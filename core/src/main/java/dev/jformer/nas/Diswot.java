package dev.jformer.nas;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.model.HiddenStates;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.OutputLayer;
import dev.jformer.train.Passes;
import dev.jformer.train.Similarity;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;

/**
 * DisWOT, the score of a student for a teacher, both with random weights, of <a
 * href="https://arxiv.org/abs/2303.15678">DisWOT: Student Architecture Search for Distillation
 * WithOut Training</a>: minus the distances of two kinds of matrices on one batch.
 *
 * <p>The <em>semantic</em> distance compares the gradients G [classes, channels] of the loss with
 * respect to the classifier's weight. The <em>relation</em> distance compares the samples: the Gram
 * matrix of the last block's output, flattened to [batch, features]. Rows are scaled to length 1,
 * and the mean of the squared differences is taken.
 *
 * <p>The authors compare channels with channels, by {@code g gᵀ} of each class, which needs
 * students as wide as the teacher. {@link Form#CLASSES} compares classes with classes instead, by
 * {@code G Gᵀ}, so that students of any width can be ranked; it is the default here. The relation
 * distance is free of widths as it stands.
 *
 * @param semantic weight of the semantic distance
 * @param relation weight of the relation distance
 * @param form the matrices of the semantic distance
 * @param gaussian whether all matrices of student and teacher are drawn from N(0, 1) first, as the
 *     authors do; otherwise both keep their own initialisation
 */
@AutoService(StudentScore.class)
@RecordBuilder
public record Diswot(double semantic, double relation, Form form, boolean gaussian)
    implements StudentScore, DiswotBuilder.With {
  private static final int MOST_CLASSES = 4096;

  /** What the semantic distance compares. */
  public enum Form {
    /** Classes with classes: students of any width. */
    CLASSES,
    /** Channels with channels, for each class: students as wide as the teacher. */
    CHANNELS
  }

  /** Defaults: both distances, for students of any width. */
  public Diswot() {
    this(1, 1, Form.CLASSES, true);
  }

  /** Checks the values. */
  public Diswot {
    Checks.atLeast("semantic", semantic, 0);
    Checks.atLeast("relation", relation, 0);
    Checks.notNull("form", form);
  }

  @Override
  public String type() {
    return "diswot";
  }

  @Override
  public double of(Candidate candidate) {
    if (gaussian) {
      draw(candidate.student());
      draw(candidate.teacher());
    }
    try (Scope scope = Scope.open()) {
      Signals student = Signals.of(candidate.passes(), candidate.student(), semantic > 0);
      Signals teacher = Signals.of(candidate.passes(), candidate.teacher(), semantic > 0);
      double distance = 0;
      if (semantic > 0) {
        distance += semantic * semantic(student.gradient(), teacher.gradient());
      }
      if (relation > 0) {
        distance += relation * Similarity.samples(student.features(), teacher.features()).item();
      }
      return -distance;
    }
  }

  private double semantic(Tensor student, Tensor teacher) {
    if (form == Form.CLASSES) {
      if (student.size(0) > MOST_CLASSES) {
        throw new IllegalArgumentException(
            "the semantic distance compares each class with each other, but there are "
                + student.size(0)
                + ": set semantic to 0, which leaves the relation distance");
      }
      return Similarity.samples(student, teacher).item();
    }
    if (student.size(1) != teacher.size(1)) {
      throw new IllegalArgumentException(
          "the student has "
              + student.size(1)
              + " channels, the teacher "
              + teacher.size(1)
              + ": form CHANNELS compares them one by one, take CLASSES");
    }
    double sum = 0;
    for (long k = 0; k < student.size(0); k++) {
      Tensor own = Similarity.unit(outer(student.select(0, k)));
      Tensor other = Similarity.unit(outer(teacher.select(0, k)));
      sum += own.sub(other).square().sum().item();
    }
    return sum / (student.size(0) * student.size(1));
  }

  private static Tensor outer(Tensor g) {
    return g.unsqueeze(1).matmul(g.unsqueeze(0));
  }

  private static void draw(Model model) {
    for (Parameter weight : model.trained()) {
      if (weight.value().rank() >= 2) {
        weight.copyFrom(Tensor.randn(weight.value().shape().toArray()));
      }
    }
  }

  /**
   * What a model shows of a batch.
   *
   * @param gradient of the classifier's weight, float64 [classes, channels]; null if not wanted
   * @param features the last block's output, float64 [batch, tokens · channels]
   */
  private record Signals(Tensor gradient, Tensor features) {
    static Signals of(Passes<?> passes, Model model, boolean withGradient) {
      model.train(false);
      Tensor weight = withGradient ? OutputLayer.of(model, passes).weight() : null;
      try (HiddenStates states = HiddenStates.collect()) {
        Tensor loss = passes.predict(model).loss();
        Tensor gradient =
            withGradient ? Autograd.grad(loss, null, false, weight).get(0).detach() : null;
        List<HiddenStates.Stack> stacks = states.stacks();
        if (stacks.isEmpty()) {
          throw new IllegalArgumentException(
              model.config().noun() + " shows no hidden states, which the relation distance needs");
        }
        Tensor last = stacks.get(stacks.size() - 1).last().detach();
        return new Signals(
            gradient == null ? null : gradient.to(DType.FLOAT64),
            last.flatten(1, 2).to(DType.FLOAT64));
      }
    }
  }
}
