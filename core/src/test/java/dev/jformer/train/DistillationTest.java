package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.metrics.Metrics;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class DistillationTest {
  private static final int CLASSES = 4;
  private static final int[] TARGETS = {3, 0, 2};

  /** A batch that a model has one answer to. */
  private record Answers(Tensor logits) implements Classifying {
    @Override
    public Supplier<Prediction> passes(long index) {
      Tensor targets = Tensor.of(new long[] {3, 0, 2}, 3).unsqueeze(1);
      return () ->
          Prediction.of(logits.mul(1), each -> each.logSoftmax(1).gather(1, targets).mean().neg());
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
      return Metrics.ofLoss(11, "nats");
    }
  }

  private static double[] row(double[] logits, int row, double temperature) {
    double[] scaled = Arrays.copyOfRange(logits, row * CLASSES, (row + 1) * CLASSES);
    return Loops.softmax(Arrays.stream(scaled).map(x -> x / temperature).toArray());
  }

  private static double expected(double[] student, double[] teacher, double t, double share) {
    double loss = 0;
    for (int m = 0; m < TARGETS.length; m++) {
      double[] taught = row(teacher, m, t);
      double[] learned = row(student, m, t);
      double divergence = 0;
      for (int k = 0; k < CLASSES; k++) {
        divergence += taught[k] * Math.log(taught[k] / learned[k]);
      }
      double right = -Math.log(row(student, m, 1)[TARGETS[m]]);
      loss += (1 - share) * right + share * t * t * divergence;
    }
    return loss / TARGETS.length;
  }

  @Test
  void mixesWhatIsRightWithWhatTheTeacherSays() {
    Tensor student = Tensor.randn(3, CLASSES).to(DType.FLOAT64).requiresGrad(true);
    Tensor teacher = Tensor.randn(3, CLASSES).mul(2).to(DType.FLOAT64).requiresGrad(true);
    Task task = new Distillation(new Answers(student), new Answers(teacher), 3, 0.7);
    Tensor loss = task.loss(0);
    double[] s = student.detach().toDoubles();
    double[] t = teacher.detach().toDoubles();
    assertEquals(expected(s, t, 3, 0.7), loss.item(), 1e-12);
    loss.backward();
    double[] gradient = student.grad().toDoubles();
    double step = 1e-6;
    for (int i = 0; i < s.length; i++) {
      double at = s[i];
      s[i] = at + step;
      double above = expected(s, t, 3, 0.7);
      s[i] = at - step;
      double below = expected(s, t, 3, 0.7);
      s[i] = at;
      assertEquals((above - below) / (2 * step), gradient[i], 1e-8);
    }
    assertNull(teacher.grad(), "a teacher does not learn");
    assertEquals(11, task.evaluate().loss());
  }

  @Test
  void aStudentLearnsToAnswerAsTheTeacherDoes() {
    Tensor student = Tensor.zeros(3, CLASSES).to(DType.FLOAT64).requiresGrad(true);
    Tensor teacher = Tensor.randn(3, CLASSES).to(DType.FLOAT64);
    Task task = new Distillation(new Answers(student), new Answers(teacher), 2, 1);
    double first = task.loss(0).item();
    for (int i = 0; i < 300; i++) {
      student.clearGrad();
      task.loss(0).backward();
      student = student.detach().sub(student.grad().mul(3)).requiresGrad(true);
      task = new Distillation(new Answers(student), new Answers(teacher), 2, 1);
    }
    assertTrue(first > 0.05, "the first loss is " + first);
    assertEquals(0, task.loss(0).item(), 1e-6);
    assertFalse(student.detach().toDoubles()[0] == 0);
  }

  @Test
  void refusesWhatDoesNotFit() {
    Answers student = new Answers(Tensor.randn(3, CLASSES));
    Answers other = new Answers(Tensor.randn(3, CLASSES + 1));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> new Distillation(student, other, 1, 0.5).loss(0));
    assertTrue(e.getMessage().contains("[3x5]"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new Distillation(student, student, 0, 0.5));
    assertThrows(IllegalArgumentException.class, () -> new Distillation(student, student, 1, 1.5));
  }
}
