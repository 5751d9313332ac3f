package dev.jformer.train;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.Scoped;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class ConsistencyTest {
  /** A batch whose passes give one tensor of logits after the other. */
  private record Answers(List<Tensor> logits, Tensor targets) implements Classifying {
    @Override
    public Passes<Model> passes(long index) {
      int[] next = {0};
      return new Passes<>(
          Model.class,
          null,
          model -> logits.get(next[0]++),
          x -> x.logSoftmax(1).gather(1, targets.unsqueeze(1)).mean().neg());
    }

    @Override
    public long unitsPerBatch() {
      return 3;
    }

    @Override
    public String unit() {
      return "texts";
    }

    @Override
    public Metrics evaluate() {
      return Metrics.ofLoss(7, "nats");
    }
  }

  private static double loss(double[] a, double[] b, int[] targets, double alpha, int classes) {
    double loss = 0;
    for (int m = 0; m < targets.length; m++) {
      double[] p = Loops.softmax(java.util.Arrays.copyOfRange(a, m * classes, (m + 1) * classes));
      double[] q = Loops.softmax(java.util.Arrays.copyOfRange(b, m * classes, (m + 1) * classes));
      double pq = 0;
      double qp = 0;
      for (int k = 0; k < classes; k++) {
        pq += p[k] * Math.log(p[k] / q[k]);
        qp += q[k] * Math.log(q[k] / p[k]);
      }
      loss += -Math.log(p[targets[m]]) - Math.log(q[targets[m]]) + alpha * (pq + qp) / 2;
    }
    return loss / targets.length;
  }

  @Test
  void addsLossesAndDivergencesOfTwoPasses() {
    int classes = 5;
    int[] targets = {4, 0, 2};
    Tensor first = Tensor.randn(3, classes).to(DType.FLOAT64).requiresGrad(true);
    Tensor second = Tensor.randn(3, classes).to(DType.FLOAT64).requiresGrad(true);
    Task task =
        new Consistency(2.5)
            .of(new Answers(List.of(first, second), Tensor.of(new long[] {4, 0, 2}, 3)));
    try (AuxiliaryLosses auxiliary = AuxiliaryLosses.collect()) {
      Tensor loss = task.loss(0);
      double[] a = first.detach().toDoubles();
      double[] b = second.detach().toDoubles();
      assertEquals(loss(a, b, targets, 2.5, classes), loss.item(), 1e-12);
      assertEquals(
          (loss(a, b, targets, 1, classes) - loss(a, b, targets, 0, classes)),
          auxiliary.metrics().get("inconsistency"),
          1e-12);
      loss.backward();
      for (double[] values : new double[][] {a, b}) {
        double[] slopes = new double[values.length];
        for (int i = 0; i < values.length; i++) {
          double here = values[i];
          values[i] = here + 1e-5;
          double above = loss(a, b, targets, 2.5, classes);
          values[i] = here - 1e-5;
          slopes[i] = (above - loss(a, b, targets, 2.5, classes)) / 2e-5;
          values[i] = here;
        }
        assertClose(slopes, (values == a ? first : second).grad(), 1e-8);
      }
    }
    assertEquals(7, task.evaluate().loss());
  }

  @Test
  void suitsTasksThatPredictClassesOnly() {
    Answers passes = new Answers(List.of(), Tensor.zeros(1));
    assertSame(passes, new Objective.Plain().of(passes));
    Task other =
        new Task() {
          @Override
          public Tensor loss(long index) {
            return null;
          }

          @Override
          public long unitsPerBatch() {
            return 1;
          }

          @Override
          public String unit() {
            return "rows";
          }

          @Override
          public Metrics evaluate() {
            return Metrics.ofLoss(0, "nats");
          }
        };
    assertThrows(IllegalArgumentException.class, () -> new Consistency().of(other));
    assertThrows(IllegalArgumentException.class, () -> new Consistency(-1));
  }
}
