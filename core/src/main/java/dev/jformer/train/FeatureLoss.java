package dev.jformer.train;

import dev.jformer.model.HiddenStates;
import dev.jformer.model.Model;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.ForwardHook;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.List;
import java.util.function.Supplier;

/**
 * The distances of a student from its teacher inside the models, on one batch: of hidden states, of
 * the similarities of samples, and of the similarities of classes.
 *
 * <p>Classes are compared by the gradient {@code G = (p - y)ᵀ f / B} of the output layer's weight,
 * where f are the layer's inputs. It is computed by this formula, so that it has a gradient itself.
 */
final class FeatureLoss {
  private final Distillation settings;
  private final Side teacher;
  private final Side student;

  /** What one of the models has shown. */
  private static final class Side {
    private final Model model;
    private final String output;
    private List<HiddenStates.Stack> stacks;
    private Tensor inputs;

    Side(Model model, String output) {
      this.model = model;
      this.output = output;
    }

    <T> T run(Supplier<T> pass) {
      try (HiddenStates states = HiddenStates.collect()) {
        T result;
        if (output == null) {
          result = pass.get();
        } else {
          try (ForwardHook hook =
              ForwardHook.withGradients(model, output::equals, seen -> inputs = seen.input())) {
            result = pass.get();
          }
        }
        stacks = states.stacks();
        return result;
      }
    }

    Tensor lastStates() {
      if (stacks.isEmpty()) {
        throw new IllegalArgumentException(
            model.config().noun()
                + " shows no hidden states: set objective.hidden and objective.relation to 0");
      }
      return stacks.get(stacks.size() - 1).last().flatten(1, 2);
    }
  }

  FeatureLoss(Distillation settings, Passes<?> passes, Model teacher) {
    this.settings = settings;
    boolean classes = settings.semantic() > 0;
    Model own = passes.model();
    this.student = new Side(own, classes ? OutputLayer.of(own, passes).name() : null);
    this.teacher = new Side(teacher, classes ? OutputLayer.of(teacher, passes).name() : null);
  }

  <T> T ofTeacher(Supplier<T> pass) {
    return teacher.run(pass);
  }

  <T> T ofStudent(Supplier<T> pass) {
    return student.run(pass);
  }

  /**
   * The weighted sum of the distances.
   *
   * @param taught the teacher's logits
   */
  Tensor loss(Classifying.Prediction prediction, Tensor taught) {
    Tensor sum = null;
    if (settings.hidden() > 0) {
      Tensor distance = HiddenStateLoss.of(student.stacks, teacher.stacks);
      AuxiliaryLosses.metric("distance of hidden states", distance::item);
      sum = add(sum, distance.mul(settings.hidden()));
    }
    if (settings.relation() > 0) {
      Tensor distance = Similarity.samples(student.lastStates(), teacher.lastStates().detach());
      AuxiliaryLosses.metric("distance of samples", distance::item);
      sum = add(sum, distance.mul(settings.relation()));
    }
    if (settings.semantic() > 0) {
      Tensor own = gradient(prediction, prediction.logits(), student.inputs);
      Tensor theirs = gradient(prediction, taught, teacher.inputs).detach();
      Tensor distance = Similarity.samples(own, theirs);
      AuxiliaryLosses.metric("distance of classes", distance::item);
      sum = add(sum, distance.mul(settings.semantic()));
    }
    return sum;
  }

  private static Tensor add(Tensor sum, Tensor more) {
    return sum == null ? more : sum.add(more);
  }

  /** The gradient [K, D] of the output layer's weight, (p - y)ᵀ f / B. */
  private static Tensor gradient(Classifying.Prediction prediction, Tensor logits, Tensor inputs) {
    if (inputs.rank() != 2 || inputs.size(0) != logits.size(0)) {
      throw new IllegalArgumentException(
          "the output layer's input is "
              + inputs.shape()
              + " for "
              + logits.size(0)
              + " predictions: objective.semantic is for classifiers, set it to 0");
    }
    Tensor p = logits.softmax(1);
    Tensor targets;
    try (Mode mode = Autograd.enableGrad()) {
      Tensor leaf = logits.detach().copy().requiresGrad(true);
      Tensor loss = prediction.criterion().apply(leaf);
      Tensor error = Autograd.grad(loss, null, false, leaf).get(0);
      targets = p.detach().sub(error.detach().mul((double) logits.size(0)));
    }
    return p.sub(targets).div((double) logits.size(0)).t().matmul(inputs);
  }
}
