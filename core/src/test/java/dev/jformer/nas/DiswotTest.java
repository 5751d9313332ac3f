package dev.jformer.nas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.Pooling;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.HiddenStates;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.nn.ForwardHook;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import dev.jformer.train.Passes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Compares scores with the paper's formulas in float64, written in plain loops. */
@ExtendWith(Scoped.class)
class DiswotTest {
  private static final int CLASSES = 5;
  private static final int[] LABELS = {3, 0, 4, 4, 1, 2, 0};

  private static VisionTransformer model(int layers, int width) {
    VisionTransformer model =
        new VisionTransformer.Config()
            .with(c -> c.size(8).patch(4).classes(CLASSES))
            .withStack(s -> s.layers(layers).width(width))
            .withBlock(b -> b.bias(true).dropout(0).mixer(new SoftmaxAttention.Config(2, 0)))
            .build();
    model.train(false);
    return model;
  }

  private static Passes<ImageModel> passes(ImageModel reader) {
    Tensor images = Tensor.rand(LABELS.length, 3, 8, 8);
    long[] wide = new long[LABELS.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = LABELS[i];
    }
    Tensor targets = Tensor.of(wide, wide.length).unsqueeze(1);
    return new Passes<>(
        ImageModel.class,
        reader,
        any -> any.logits(images),
        logits -> logits.logSoftmax(1).gather(1, targets).mean().neg());
  }

  /** The gradient (p - y)ᵀ f / B of the classifier's weight, from logits and its inputs. */
  private static double[][] gradient(ImageModel model, Passes<?> passes) {
    double[][] weight = rows(model.parameters().get("head.weight").value());
    int width = weight[0].length;
    double[][] features = new double[LABELS.length][];
    try (ForwardHook hook =
        ForwardHook.on(
            model,
            name -> name.equals("head"),
            seen -> {
              double[][] all = rows(seen.input());
              System.arraycopy(all, 0, features, 0, all.length);
            })) {
      double[][] logits = rows(passes.logits(model).detach());
      double[][] g = new double[CLASSES][width];
      for (int b = 0; b < LABELS.length; b++) {
        double[] p = Loops.softmax(logits[b]);
        for (int k = 0; k < CLASSES; k++) {
          double error = p[k] - (LABELS[b] == k ? 1 : 0);
          for (int d = 0; d < width; d++) {
            g[k][d] += error * features[b][d] / LABELS.length;
          }
        }
      }
      return g;
    }
  }

  private static double[][] features(ImageModel model, Passes<?> passes) {
    try (HiddenStates states = HiddenStates.collect()) {
      passes.logits(model);
      return rows(states.stacks().get(0).last().detach().flatten(1, 2));
    }
  }

  private static double[][] rows(Tensor matrix) {
    int columns = (int) matrix.size(1);
    double[] all = matrix.detach().toDoubles();
    double[][] rows = new double[all.length / columns][columns];
    for (int i = 0; i < all.length; i++) {
      rows[i / columns][i % columns] = all[i];
    }
    return rows;
  }

  private static double[][] gram(double[][] x) {
    double[][] g = new double[x.length][x.length];
    for (int i = 0; i < x.length; i++) {
      double norm = 0;
      for (int j = 0; j < x.length; j++) {
        for (int d = 0; d < x[i].length; d++) {
          g[i][j] += x[i][d] * x[j][d];
        }
        norm += g[i][j] * g[i][j];
      }
      for (int j = 0; j < x.length; j++) {
        g[i][j] /= Math.sqrt(norm);
      }
    }
    return g;
  }

  private static double difference(double[][] a, double[][] b, double by) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[i].length; j++) {
        sum += (a[i][j] - b[i][j]) * (a[i][j] - b[i][j]);
      }
    }
    return sum / by;
  }

  private static Diswot score(double semantic, double relation) {
    return new Diswot().with(d -> d.semantic(semantic).relation(relation).gaussian(false));
  }

  @Test
  void equalsTheFormulasForStudentsOfAnyWidth() {
    for (int[] shape : new int[][] {{1, 8}, {3, 16}, {2, 20}}) {
      Random.seed(shape[1]);
      VisionTransformer teacher = model(4, 16);
      VisionTransformer student = model(shape[0], shape[1]);
      Passes<ImageModel> passes = passes(teacher);
      Candidate candidate = new Candidate(passes, student, teacher);
      double semantic =
          difference(
              gram(gradient(student, passes)), gram(gradient(teacher, passes)), CLASSES * CLASSES);
      double relation =
          difference(
              gram(features(student, passes)),
              gram(features(teacher, passes)),
              LABELS.length * LABELS.length);
      assertEquals(-semantic, score(1, 0).of(candidate), 1e-6);
      assertEquals(-relation, score(0, 1).of(candidate), 1e-6);
      assertEquals(-0.5 * semantic - 3 * relation, score(0.5, 3).of(candidate), 1e-6);
      assertTrue(student.trained().stream().allMatch(p -> p.value().grad() == null));
    }
  }

  /** The authors' form: for each class the products of all channels. */
  @Test
  void equalsTheAuthorsFormForEqualWidths() {
    Random.seed(3);
    VisionTransformer teacher = model(3, 12);
    VisionTransformer student = model(1, 12);
    Passes<ImageModel> passes = passes(teacher);
    double[][] s = gradient(student, passes);
    double[][] t = gradient(teacher, passes);
    double sum = 0;
    for (int k = 0; k < CLASSES; k++) {
      sum += difference(unit(outer(s[k])), unit(outer(t[k])), 1);
    }
    Diswot channels = score(1, 0).withForm(Diswot.Form.CHANNELS);
    assertEquals(-sum / (12 * CLASSES), channels.of(new Candidate(passes, student, teacher)), 1e-6);
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> channels.of(new Candidate(passes, model(1, 8), teacher)))
            .getMessage();
    assertTrue(message.contains("8 channels, the teacher 12"), message);
  }

  private static double[][] outer(double[] g) {
    double[][] all = new double[g.length][g.length];
    for (int i = 0; i < g.length; i++) {
      for (int j = 0; j < g.length; j++) {
        all[i][j] = g[i] * g[j];
      }
    }
    return all;
  }

  private static double[][] unit(double[][] rows) {
    for (double[] row : rows) {
      double norm = 0;
      for (double x : row) {
        norm += x * x;
      }
      for (int j = 0; j < row.length; j++) {
        row[j] /= Math.sqrt(norm);
      }
    }
    return rows;
  }

  @Test
  void aTwinHasTheHighestScore() {
    Random.seed(5);
    VisionTransformer teacher = model(2, 16);
    VisionTransformer twin = model(2, 16);
    twin.copyFrom(teacher);
    Passes<ImageModel> passes = passes(teacher);
    assertEquals(0, score(1, 1).of(new Candidate(passes, twin, teacher)), 1e-12);
    assertTrue(score(1, 1).of(new Candidate(passes, model(2, 16), teacher)) < -1e-4);
  }

  @Test
  void gaussianDrawsReplaceAllMatrices() {
    VisionTransformer teacher = model(2, 16);
    VisionTransformer student = model(1, 64);
    double before = student.parameters().get("head.weight").value().detach().square().mean().item();
    new Diswot().of(new Candidate(passes(teacher), student, teacher));
    double after = student.parameters().get("head.weight").value().detach().square().mean().item();
    assertTrue(before < 0.01, "" + before);
    assertEquals(1, after, 0.25);
  }

  /** SNIP by finite differences of the loss; SynFlow by those of the sum of the outputs. */
  @Test
  void rivalsEqualFiniteDifferences() {
    Random.seed(6);
    VisionTransformer student =
        new VisionTransformer.Config()
            .with(c -> c.size(4).patch(2).classes(CLASSES))
            .withStack(s -> s.layers(1).width(4))
            .withBlock(b -> b.dropout(0).mixer(new Pooling.Config()))
            .build();
    Weights.draw(student);
    student.train(false);
    Tensor images = Tensor.rand(3, 3, 4, 4).to(DType.FLOAT64);
    Passes<ImageModel> passes =
        new Passes<>(
            ImageModel.class,
            student,
            any -> any.logits(images),
            logits -> logits.logSoftmax(1).square().mean());
    double expected = 0;
    for (var parameter : student.trained()) {
      double[] values = parameter.value().detach().toDoubles();
      for (int i = 0; i < values.length; i++) {
        double step = 1e-6;
        double above = moved(parameter, values, i, step, passes, student);
        double below = moved(parameter, values, i, -step, passes, student);
        expected += Math.abs(values[i] * (above - below) / (2 * step));
      }
    }
    double found = new Snip().of(new Candidate(passes, student, student));
    assertEquals(expected, found, 1e-6 * expected);
    assertEquals(
        (double) student.parameterCount(),
        new ParameterCount().of(new Candidate(passes, student, null)));
    assertTrue(new FlopCount().of(new Candidate(passes, student, null)) > 1000);
    double flow = new Synflow().of(new Candidate(passes, student, null));
    assertTrue(Double.isFinite(flow), "" + flow);
    assertTrue(student.trained().stream().allMatch(p -> p.value().ge(0).all()));
  }

  private static double moved(
      Parameter parameter,
      double[] values,
      int i,
      double step,
      Passes<?> passes,
      ImageModel model) {
    double[] other = values.clone();
    other[i] += step;
    parameter.copyFrom(Tensor.of(other, parameter.value().shape().toArray()));
    double loss = passes.predict(model).loss().item();
    parameter.copyFrom(Tensor.of(values, parameter.value().shape().toArray()));
    return loss;
  }
}
