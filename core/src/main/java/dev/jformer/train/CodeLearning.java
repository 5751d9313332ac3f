package dev.jformer.train;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.inpaint.Put;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.SplittableRandom;

/**
 * Learning the codes of a {@link Put}, the first part of its training ({@code pretraining} of a
 * recipe): its auto-encoder learns to draw images again from their codes. As in <a
 * href="https://arxiv.org/abs/2205.05076">Reduce Information Loss in Transformers for Pluralistic
 * Image Inpainting</a>, parts of some images are erased, so that codes of patches with hidden
 * pixels are learned too, and the decoder sees some pixels through its reference branch, but for
 * some images none. Evaluations draw held-out images from their codes alone.
 *
 * @param erased share of the images of which parts are erased
 * @param withoutReference share of the images of which the reference branch sees nothing
 */
@AutoService(Objective.class)
@RecordBuilder
public record CodeLearning(double erased, double withoutReference)
    implements Objective, CodeLearningBuilder.With {
  /** Defaults, those of the paper. */
  public CodeLearning() {
    this(0.2, 0.3);
  }

  /** Checks the values. */
  public CodeLearning {
    Checks.check(erased >= 0 && erased <= 1, "erased", erased, "a share from 0 to 1");
    Checks.check(
        withoutReference >= 0 && withoutReference <= 1,
        "withoutReference",
        withoutReference,
        "a share from 0 to 1");
  }

  @Override
  public String type() {
    return "codes";
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if the task is not to fill in images
   */
  @Override
  public Task of(Task task) {
    if (!(task instanceof InpaintingTraining inpainting)) {
      throw new IllegalArgumentException(
          "the objective 'codes' learns the codes of patches of a model 'put', but this task, a "
              + task.getClass().getSimpleName()
              + ", has none: expected data of type 'masked-images'");
    }
    return new Learning(inpainting);
  }

  private final class Learning extends ForwardingTask {
    private final InpaintingTraining task;

    Learning(InpaintingTraining task) {
      super(task);
      this.task = task;
    }

    @Override
    public Tensor loss(long index) {
      Tensor images = task.images(index);
      SplittableRandom random = task.random(index).split();
      Tensor whole = some(random, images, erased, true);
      Tensor seen = some(random, images, withoutReference, false);
      return task.model().codecLoss(images, whole, seen);
    }

    /** Masks, of which a share is drawn (or blank), and the others are blank (or drawn). */
    private Tensor some(SplittableRandom random, Tensor images, double share, boolean drawn) {
      Tensor masks = task.visible(random, images);
      int count = (int) images.size(0);
      boolean[] chosen = new boolean[count];
      for (int i = 0; i < count; i++) {
        chosen[i] = random.nextDouble() < share;
      }
      Tensor those = Tensor.of(chosen, count, 1, 1, 1);
      return drawn ? masks.or(those.not()) : masks.and(those.not());
    }

    /** Measures how far images drawn from codes alone are from the held-out ones. */
    @Override
    public Metrics evaluate() {
      double[] sums = new double[2];
      Put model = task.model();
      boolean[] used = new boolean[model.config().codec().codes()];
      task.heldOut(
          (images, visible) -> {
            try (Scope scope = Scope.open()) {
              Tensor codes = model.targets(images);
              Tensor nothing = visible.and(visible.not());
              Tensor vectors = model.codec().codebook().lookUp(codes);
              Tensor drawn = model.codec().draw(vectors, images, nothing);
              sums[0] += drawn.sub(images).abs().mean().item() * 0.5 * images.size(0);
              sums[1] += images.size(0);
              for (long code : codes.flatten(0, 1).toLongs()) {
                used[(int) code] = true;
              }
            }
          });
      int count = 0;
      for (boolean one : used) {
        count += one ? 1 : 0;
      }
      return Metrics.of(
          Metric.lower("error", sums[0] / sums[1], "of the range of colours"),
          Metric.higher("codes used", count, ""));
    }
  }
}
