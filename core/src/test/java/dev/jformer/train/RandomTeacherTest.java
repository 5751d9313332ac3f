package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.metrics.Metrics;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class RandomTeacherTest {
  private static final int OUTPUTS = 12;

  private static VisionTransformer model(long seed) {
    Random.seed(seed);
    VisionTransformer model =
        new VisionTransformer.Config()
            .with(c -> c.size(8).patch(4).classes(OUTPUTS))
            .withStack(s -> s.layers(2).width(16))
            .withBlock(b -> b.dropout(0).mixer(new SoftmaxAttention.Config(2, 0)))
            .build();
    return model;
  }

  /** Images without labels; the criterion must not be asked. */
  private record Images(ImageModel model, Tensor images) implements Classifying {
    @Override
    public Passes<ImageModel> passes(long index) {
      return new Passes<>(
          ImageModel.class,
          model,
          any -> any.logits(images),
          logits -> {
            throw new AssertionError("there are no labels");
          });
    }

    @Override
    public long unitsPerBatch() {
      return images.size(0);
    }

    @Override
    public String unit() {
      return "images";
    }

    @Override
    public Metrics evaluate() {
      return Metrics.ofLoss(5, "nats");
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.5, 1, 3})
  void isTheCrossEntropyOfBothSoftmaxes(double temperature) {
    VisionTransformer student = model(1);
    VisionTransformer teacher = model(2);
    teacher.train(false);
    Tensor images = Tensor.rand(7, 3, 8, 8);
    Task task = new RandomTeacher(0, true, temperature).of(new Images(student, images), teacher);
    double[] s = student.logits(images).detach().toDoubles();
    double[] t = teacher.logits(images).detach().toDoubles();
    double expected = 0;
    for (int i = 0; i < 7; i++) {
      double[] p = row(t, i, temperature);
      double[] q = row(s, i, temperature);
      for (int k = 0; k < OUTPUTS; k++) {
        expected -= p[k] * Math.log(q[k]) / 7;
      }
    }
    Tensor loss = task.loss(0);
    assertEquals(expected, loss.item(), 1e-5);
    loss.backward();
    assertTrue(teacher.trained().stream().allMatch(p -> p.value().grad() == null));
    assertTrue(student.trained().stream().anyMatch(p -> p.value().grad() != null));
    assertEquals(5, task.evaluate().loss());
  }

  private static double[] row(double[] logits, int row, double temperature) {
    double[] some = Arrays.copyOfRange(logits, row * OUTPUTS, (row + 1) * OUTPUTS);
    return Loops.softmax(Arrays.stream(some).map(x -> x / temperature).toArray());
  }

  /** Both draws are known here, so each weight of the student is. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 0.1, 0.5, 1})
  void theStudentBeginsAtItsDistance(double alpha) {
    VisionTransformer start = model(3);
    VisionTransformer fresh = model(4);
    VisionTransformer student = model(3);
    Random.seed(4);
    new RandomTeacher(alpha, true, 1).depart(student);
    double scale = Math.sqrt(2 * alpha * alpha - 2 * alpha + 1);
    student
        .parameters()
        .forEach(
            (name, p) -> {
              double[] own = start.parameters().get(name).value().detach().toDoubles();
              double[] other = fresh.parameters().get(name).value().detach().toDoubles();
              double by = p.value().rank() >= 2 ? scale : 1;
              double[] found = p.value().detach().toDoubles();
              for (int i = 0; i < found.length; i++) {
                boolean trained = p.isTrainable();
                double expected = trained ? ((1 - alpha) * own[i] + alpha * other[i]) / by : own[i];
                assertEquals(expected, found[i], 1e-6, name);
              }
            });
  }

  /** The teacher is what the model was, and stays so. */
  @Test
  void theTeacherIsACopyOfTheStart() {
    VisionTransformer student = model(5);
    double[] before = student.parameters().get("head.weight").value().detach().toDoubles();
    Model[] made = new Model[1];
    Task task =
        new RandomTeacher()
            .withAlpha(0.5)
            .of(
                new Images(student, Tensor.rand(4, 3, 8, 8)),
                new Objective.ModelLoader() {
                  @Override
                  public Objective.Teacher teacher() {
                    throw new AssertionError("there is no folder");
                  }

                  @Override
                  public Model copy(Model model) {
                    made[0] = model.config().build();
                    made[0].copyFrom(model);
                    made[0].train(false);
                    return made[0];
                  }
                });
    double[] teacher = made[0].parameters().get("head.weight").value().detach().toDoubles();
    assertEquals(Arrays.toString(before), Arrays.toString(teacher));
    double[] now = student.parameters().get("head.weight").value().detach().toDoubles();
    assertNotEquals(Arrays.toString(before), Arrays.toString(now));
    try (Optimizer optimizer = new AdamW.Config().build(student)) {
      double first = task.loss(0).item();
      for (int i = 0; i < 60; i++) {
        student.clearGrads();
        task.loss(0).backward();
        optimizer.step(3e-3);
      }
      assertTrue(task.loss(0).item() < first);
    }
    assertEquals(
        Arrays.toString(teacher),
        Arrays.toString(made[0].parameters().get("head.weight").value().detach().toDoubles()));
  }

  @Test
  void refusesWhatDoesNotFit() {
    String alone =
        assertThrows(
                IllegalArgumentException.class,
                () -> new RandomTeacher().of(new Images(model(1), Tensor.rand(1, 3, 8, 8))))
            .getMessage();
    assertTrue(alone.contains("by a recipe"), alone);
    assertThrows(IllegalArgumentException.class, () -> new RandomTeacher(-0.1, true, 1));
    assertThrows(IllegalArgumentException.class, () -> new RandomTeacher(1.5, true, 1));
    assertThrows(IllegalArgumentException.class, () -> new RandomTeacher(0, true, 0));
  }
}
