package dev.jformer.train;

import dev.jformer.model.HiddenStates;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * The distance of a student's hidden states from a teacher's: 1 minus the cosine of the angle
 * between them, averaged over tokens and layers, as in <a
 * href="https://arxiv.org/abs/1910.01108">DistilBERT, a distilled version of BERT</a>. Layer i of S
 * learns from layer round(i T / S) of the teacher's T, both counted from 1, so the last learns from
 * the last. Padding does not count.
 */
final class HiddenStateLoss {
  private static final double LEAST_SQUARE = 1e-16;

  private HiddenStateLoss() {}

  /**
   * Computes the mean distance.
   *
   * @throws IllegalArgumentException if the states have different shapes, or there are none
   */
  static Tensor of(List<HiddenStates.Stack> student, List<HiddenStates.Stack> teacher) {
    if (student.isEmpty() || student.size() != teacher.size()) {
      throw new IllegalArgumentException(
          "the student has "
              + student.size()
              + " stacks of hidden states and the teacher "
              + teacher.size()
              + ": expected as many, at least one (objective.hidden = 0 compares predictions"
              + " only)");
    }
    Tensor sum = null;
    int layers = 0;
    for (int stack = 0; stack < student.size(); stack++) {
      List<Tensor> learned = student.get(stack).layers();
      List<Tensor> taught = teacher.get(stack).layers();
      for (int i = 1; i <= learned.size(); i++) {
        int from = Math.max(1, Math.round((float) i * taught.size() / learned.size()));
        Tensor each =
            distance(learned.get(i - 1), taught.get(from - 1), student.get(stack).paddingMask());
        sum = sum == null ? each : sum.add(each);
        layers++;
      }
    }
    return sum.div((double) layers);
  }

  private static Tensor distance(Tensor learned, Tensor taught, Tensor mask) {
    if (!learned.shape().equals(taught.shape())) {
      throw new IllegalArgumentException(
          "the student's hidden states are "
              + learned.shape()
              + ", the teacher's "
              + taught.shape()
              + ": give both the same width, or set objective.hidden to 0");
    }
    Tensor a = exact(learned).flatten(0, 1);
    Tensor b = exact(taught.detach()).flatten(0, 1);
    Tensor cosine = a.mul(b).sum(1, false).div(norm(a).mul(norm(b)));
    Tensor distance = cosine.mul(-1).add(1);
    if (mask == null) {
      return distance.mean();
    }
    Tensor counted = mask.flatten(0, 1).to(distance.dtype());
    return distance.mul(counted).sum().div(counted.sum());
  }

  private static Tensor exact(Tensor x) {
    return x.dtype() == DType.BFLOAT16 ? x.to(DType.FLOAT32) : x;
  }

  private static Tensor norm(Tensor rows) {
    return rows.square().sum(1, false).clamp(LEAST_SQUARE, Double.POSITIVE_INFINITY).sqrt();
  }
}
