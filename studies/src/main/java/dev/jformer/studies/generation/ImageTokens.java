package dev.jformer.studies.generation;

import dev.jformer.data.image.GreyPixels;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Task;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Images as sequences of tokens: the class, then the pixels row by row, each of a few greys; and
 * the task of predicting each from those before.
 *
 * @param rows ids of each image; greys come first, then the classes
 * @param levels number of greys
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record ImageTokens(long[][] rows, int levels) {
  /** All images of a file. */
  static ImageTokens of(ImageFile file, int levels) {
    List<long[]> rows = new ArrayList<>();
    ImageSampler.all(
        file,
        (images, labels) -> {
          int[][] greys = GreyPixels.of(images, levels);
          double[] classes = labels.toDoubles();
          for (int i = 0; i < greys.length; i++) {
            long[] row = new long[1 + greys[i].length];
            row[0] = levels + (long) classes[i];
            for (int p = 0; p < greys[i].length; p++) {
              row[1 + p] = greys[i][p];
            }
            rows.add(row);
          }
        });
    return new ImageTokens(rows.toArray(long[][]::new), levels);
  }

  /** The first tokens of an image. */
  int[] prompt(int image, int tokens) {
    return Arrays.stream(rows[image]).limit(tokens).mapToInt(Math::toIntExact).toArray();
  }

  /** Mean cross-entropy of some images in nats a pixel. */
  Tensor loss(CausalLm model, int[] images) {
    int length = rows[0].length - 1;
    long[] inputs = new long[images.length * length];
    long[] targets = new long[inputs.length];
    for (int i = 0; i < images.length; i++) {
      System.arraycopy(rows[images[i]], 0, inputs, i * length, length);
      System.arraycopy(rows[images[i]], 1, targets, i * length, length);
    }
    return model.loss(
        Tensor.of(inputs, images.length, length), Tensor.of(targets, images.length, length));
  }

  /** The task of learning these images, judged on others. */
  Task task(CausalLm model, ImageTokens others, int batch, long seed) {
    return new Task() {
      @Override
      public Tensor loss(long index) {
        SplittableRandom random = new SplittableRandom(seed * 1_000_003 + index);
        return ImageTokens.this.loss(model, random.ints(batch, 0, rows.length).toArray());
      }

      @Override
      public long unitsPerBatch() {
        return batch;
      }

      @Override
      public String unit() {
        return "images";
      }

      @Override
      public Metrics evaluate() {
        int[] all = new int[others.rows.length];
        Arrays.setAll(all, i -> i);
        try (Scope scope = Scope.open();
            Mode mode = Autograd.noGrad()) {
          return Metrics.ofLoss(others.loss(model, all).item(), "nats a pixel");
        }
      }
    };
  }
}
