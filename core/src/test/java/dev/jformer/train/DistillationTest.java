package dev.jformer.train;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.metrics.Metrics;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.HiddenStates;
import dev.jformer.model.Model;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class DistillationTest {
  private static final int CLASSES = 4;
  private static final int[] TARGETS = {3, 0, 2};

  /** A model whose weights are its logits. */
  private static final class Answers extends Model {
    final Parameter logits;

    Answers(Tensor logits) {
      this.logits = parameter("logits", logits);
    }

    @Override
    public Config config() {
      return new CausalLm.Config();
    }
  }

  /** The task of such a model. */
  private record Asked(Answers model) implements Classifying {
    @Override
    public Passes<Answers> passes(long index) {
      Tensor targets = Tensor.of(new long[] {3, 0, 2}, 3).unsqueeze(1);
      return new Passes<>(
          Answers.class,
          model,
          any -> any.logits.value().mul(1),
          logits -> logits.logSoftmax(1).gather(1, targets).mean().neg());
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

  private static Distillation settings(double temperature, double share) {
    return new Distillation().withTemperature(temperature).withShare(share);
  }

  @Test
  void mixesWhatIsRightWithWhatTheTeacherSays() {
    Answers student = new Answers(Tensor.randn(3, CLASSES).to(DType.FLOAT64));
    Answers teacher = new Answers(Tensor.randn(3, CLASSES).mul(2).to(DType.FLOAT64));
    Task task = settings(3, 0.7).of(new Asked(student), teacher);
    Tensor loss = task.loss(0);
    double[] s = student.logits.value().detach().toDoubles();
    double[] t = teacher.logits.value().detach().toDoubles();
    assertEquals(expected(s, t, 3, 0.7), loss.item(), 1e-12);
    loss.backward();
    double[] gradient = student.logits.value().grad().toDoubles();
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
    assertNull(teacher.logits.value().grad(), "a teacher does not learn");
    assertEquals(11, task.evaluate().loss());
  }

  @Test
  void aStudentLearnsToAnswerAsTheTeacherDoes() {
    Answers student = new Answers(Tensor.zeros(3, CLASSES).to(DType.FLOAT64));
    Answers teacher = new Answers(Tensor.randn(3, CLASSES).to(DType.FLOAT64));
    Task task = settings(2, 1).of(new Asked(student), teacher);
    double first = task.loss(0).item();
    for (int i = 0; i < 300; i++) {
      student.clearGrads();
      task.loss(0).backward();
      Tensor gradient = student.logits.value().grad();
      student.logits.copyFrom(student.logits.value().detach().sub(gradient.mul(3)));
    }
    assertTrue(first > 0.05, "the first loss is " + first);
    assertEquals(0, task.loss(0).item(), 1e-6);
    assertFalse(student.logits.value().detach().toDoubles()[0] == 0);
  }

  @Test
  void refusesWhatDoesNotFit() {
    Asked student = new Asked(new Answers(Tensor.randn(3, CLASSES)));
    Answers other = new Answers(Tensor.randn(3, CLASSES + 1));
    String shape =
        assertThrows(
                IllegalArgumentException.class, () -> settings(1, 0.5).of(student, other).loss(0))
            .getMessage();
    assertTrue(shape.contains("5 classes, the student 4"), shape);
    String family =
        assertThrows(
                IllegalArgumentException.class,
                () -> settings(1, 0.5).of(student, new Encoder.Config().build()).loss(0))
            .getMessage();
    assertTrue(family.contains("an encoder cannot read"), family);
    String none =
        assertThrows(IllegalArgumentException.class, () -> settings(1, 0.5).of(student))
            .getMessage();
    assertTrue(none.contains("--teacher"), none);
    assertThrows(IllegalArgumentException.class, () -> settings(0, 0.5));
    assertThrows(IllegalArgumentException.class, () -> settings(1, 1.5));
  }

  private static Encoder.Config shape(int layers, int width) {
    return new Encoder.Config()
        .with(c -> c.length(140).labels(3))
        .withStack(s -> s.layers(layers).width(width))
        .withBlock(b -> b.dropout(0).mixer(new SoftmaxAttention.Config(2, 0)));
  }

  /** Padded texts of an encoder. */
  private record Texts(Encoder model, Tensor ids, Tensor mask) implements Classifying {
    @Override
    public Passes<Encoder> passes(long index) {
      Tensor targets = Tensor.of(new long[] {2, 0}, 2);
      return new Passes<>(
          Encoder.class,
          model,
          encoder -> encoder.logits(ids, mask),
          logits -> Functional.crossEntropy(logits, targets, -1, 0));
    }

    @Override
    public long unitsPerBatch() {
      return 2;
    }

    @Override
    public String unit() {
      return "texts";
    }

    @Override
    public Metrics evaluate() {
      return Metrics.ofLoss(0, "nats");
    }
  }

  private static List<double[][]> states(Encoder model, Texts texts) {
    try (HiddenStates states = HiddenStates.collect()) {
      model.logits(texts.ids, texts.mask);
      assertEquals(1, states.stacks().size());
      return states.stacks().get(0).layers().stream()
          .map(
              layer -> {
                int width = (int) layer.size(2);
                double[] all = layer.detach().toDoubles();
                double[][] rows = new double[all.length / width][];
                for (int i = 0; i < rows.length; i++) {
                  rows[i] = Arrays.copyOfRange(all, i * width, (i + 1) * width);
                }
                return rows;
              })
          .toList();
    }
  }

  private static double cosine(double[] a, double[] b) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
    return ab / Math.sqrt(aa * bb);
  }

  /** Two layers learn from the second and the fourth of four; padding does not count. */
  @Test
  void comparesHiddenStatesWithoutPadding() {
    for (int length : new int[] {1, 2, 63, 64, 65, 129}) {
      Random.seed(length);
      Encoder student = shape(2, 8).build();
      Encoder teacher = shape(4, 8).build();
      teacher.train(false);
      boolean[] real = new boolean[2 * length];
      Arrays.fill(real, true);
      int shorter = (length + 1) / 2;
      Arrays.fill(real, length + shorter, 2 * length, false);
      Texts texts =
          new Texts(student, Tensor.randint(0, 200, 2, length), Tensor.of(real, 2, length));
      double plain = new Distillation().of(texts, teacher).loss(0).item();
      Tensor loss = new Distillation().withHidden(0.3).of(texts, teacher).loss(0);
      List<double[][]> learned = states(student, texts);
      List<double[][]> taught = states(teacher, texts);
      double distance = 0;
      for (int layer = 0; layer < 2; layer++) {
        for (int i = 0; i < real.length; i++) {
          if (real[i]) {
            distance += 1 - cosine(learned.get(layer)[i], taught.get(2 * layer + 1)[i]);
          }
        }
      }
      distance /= 2.0 * (length + shorter);
      assertEquals(plain + 0.3 * distance, loss.item(), 1e-5);
      loss.backward();
      long reached = student.trained().stream().filter(p -> p.value().grad() != null).count();
      assertTrue(reached > 10, "" + reached);
      assertTrue(teacher.trained().stream().allMatch(p -> p.value().grad() == null));
      student.close();
      teacher.close();
    }
  }

  @Test
  void hiddenStatesOfAnotherWidthAreRefused() {
    Texts texts = new Texts(shape(1, 8).build(), Tensor.zeros(DType.INT64, 2, 3), null);
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> new Distillation().withHidden(1).of(texts, shape(1, 16).build()).loss(0))
            .getMessage();
    assertTrue(message.contains("[2x3x8]") && message.contains("objective.hidden"), message);
  }

  /** What the teacher's modules report is not the student's. */
  @Test
  void aTeacherReportsNothing() {
    Answers model = new Answers(Tensor.randn(3, CLASSES));
    Passes<Answers> passes =
        new Passes<>(
            Answers.class,
            model,
            any -> {
              AuxiliaryLosses.metric("passes", () -> 1);
              AuxiliaryLosses.loss(Tensor.ones(1));
              return any.logits.value();
            },
            logits -> logits.mean());
    try (AuxiliaryLosses collector = AuxiliaryLosses.collect()) {
      passes.logits(model);
      assertEquals(Map.of(), collector.metrics());
      passes.get();
      assertEquals(Map.of("passes", 1.0), collector.metrics());
      assertEquals(3, collector.predictions());
    }
  }

  /** Without a share of the teacher the gradients are those of the task alone. */
  @Test
  void noShareIsPlainTraining() {
    Encoder student = shape(2, 8).build();
    Encoder teacher = shape(4, 16).build();
    teacher.train(false);
    Texts texts = new Texts(student, Tensor.randint(0, 200, 2, 7), null);
    Random.seed(5);
    texts.loss(0).backward();
    List<Parameter> reached =
        student.trained().stream().filter(p -> p.value().grad() != null).toList();
    assertTrue(reached.size() > 10, "" + reached.size());
    List<Tensor> own = reached.stream().map(p -> p.value().grad().copy()).toList();
    student.clearGrads();
    Random.seed(5);
    settings(3, 0).of(texts, teacher).loss(0).backward();
    int i = 0;
    for (Parameter parameter : reached) {
      assertClose(own.get(i++), parameter.value().grad(), 0);
    }
  }

  private static double[][] rows(Tensor x) {
    double[] all = x.detach().toDoubles();
    int width = (int) x.size(1);
    double[][] rows = new double[all.length / width][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = Arrays.copyOfRange(all, i * width, (i + 1) * width);
    }
    return rows;
  }

  private static double gramDistance(double[][] a, double[][] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      double[] x = new double[a.length];
      double[] y = new double[a.length];
      for (int j = 0; j < a.length; j++) {
        x[j] = dot(a[i], a[j]);
        y[j] = dot(b[i], b[j]);
      }
      double nx = Math.sqrt(dot(x, x));
      double ny = Math.sqrt(dot(y, y));
      for (int j = 0; j < a.length; j++) {
        sum += Math.pow(x[j] / nx - y[j] / ny, 2);
      }
    }
    return sum / (a.length * a.length);
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** The gradient of the output layer's weight, by the engine. */
  private static double[][] outputGradient(Encoder model, Texts texts) {
    Tensor weight =
        OutputLayer.of(model, new Texts(model, texts.ids, texts.mask).passes(0)).weight();
    Tensor loss = texts.passes(0).predict(model).loss();
    return rows(Autograd.grad(loss, null, false, weight).get(0));
  }

  /** The similarities of samples and of classes, of models of different widths. */
  @Test
  void comparesSimilaritiesOfSamplesAndOfClasses() {
    Random.seed(8);
    Encoder student = shape(2, 8).build();
    Encoder teacher = shape(3, 20).build();
    teacher.train(false);
    Texts texts = new Texts(student, Tensor.randint(0, 200, 2, 65), null);
    double plain = new Distillation().of(texts, teacher).loss(0).item();
    double[][] own = new double[2][];
    double[][] theirs = new double[2][];
    List<double[][]> a = states(student, texts);
    List<double[][]> b = states(teacher, texts);
    for (int i = 0; i < 2; i++) {
      own[i] = flat(a.get(1), i * 65, 65);
      theirs[i] = flat(b.get(2), i * 65, 65);
    }
    double relation = gramDistance(own, theirs);
    assertEquals(
        plain + 2 * relation,
        new Distillation().withRelation(2).of(texts, teacher).loss(0).item(),
        1e-5);
    double semantic = gramDistance(outputGradient(student, texts), outputGradient(teacher, texts));
    Tensor loss = new Distillation().withSemantic(3).of(texts, teacher).loss(0);
    assertEquals(plain + 3 * semantic, loss.item(), 1e-5);
    student.clearGrads();
    loss.backward();
    assertTrue(teacher.trained().stream().allMatch(p -> p.value().grad() == null));
    assertTrue(student.trained().stream().filter(p -> p.value().grad() != null).count() > 10);
    assertTrue(
        student.modules().values().stream()
            .noneMatch(m -> m.getClass().getSimpleName().equals("HookedLayer")),
        "hooks are removed");
  }

  private static double[] flat(double[][] rows, int from, int count) {
    double[] all = new double[count * rows[0].length];
    for (int i = 0; i < count; i++) {
      System.arraycopy(rows[from + i], 0, all, i * rows[0].length, rows[0].length);
    }
    return all;
  }
}
