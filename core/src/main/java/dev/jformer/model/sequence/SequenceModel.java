package dev.jformer.model.sequence;

import dev.jformer.model.Model;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Slot;
import dev.jformer.nn.temporal.StreamState;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.Locale;

/**
 * A classifier of sequences of vectors, its frames: a linear layer reads the mean of its states
 * over time. It standardises frames by the means and deviations of the features, which are stored
 * with the weights.
 *
 * <p>A model that looks back only has an answer at every frame, by the mean of the states so far:
 * {@link #running} computes all of them, {@link #stream} one after the other.
 */
public abstract class SequenceModel extends Model {
  /** Configuration of a classifier of sequences of vectors. */
  public interface Config extends Model.Config {
    /** The numbers F in each frame. */
    int features();

    /** The frames T of a sequence. */
    int length();

    /** The number of classes. */
    int classes();

    /** The width D of the states. */
    int width();

    /** Products for a frame that are with no weights, as those of a memory's matrix. */
    default long unweightedProducts() {
      return 0;
    }

    /** Returns this configuration for sequences of another kind. */
    Config sized(int features, int length, int classes);

    @Override
    SequenceModel build();
  }

  private final Parameter mean;
  private final Parameter deviation;

  SequenceModel(Config config) {
    this.mean = buffer("frames.mean", Tensor.zeros(config.features()));
    this.deviation = buffer("frames.deviation", Tensor.ones(config.features()));
  }

  final Slot<Layer> head() {
    Config config = config();
    return child(
        "head",
        Layer.class,
        new Linear(config.width(), config.classes(), true, Initializer.normal(0.02)));
  }

  @Override
  public abstract Config config();

  /**
   * Computes states from standardised frames.
   *
   * @param frames [B, T, F]
   * @param state what layers keep of the frames before; null for whole sequences
   * @return [B, T, D]
   */
  abstract Tensor states(Tensor frames, StreamState state);

  /** Computes the logits of classes from means of states: [..., D] to [..., K]. */
  abstract Tensor classify(Tensor means);

  /** Whether states depend on frames that follow. */
  public boolean looksAhead() {
    return false;
  }

  /**
   * Sets the means and deviations of the features.
   *
   * @param means [F]
   * @param deviations [F]
   */
  public final void standardise(Tensor means, Tensor deviations) {
    mean.copyFrom(means);
    deviation.copyFrom(deviations);
  }

  private Tensor checked(Tensor frames) {
    int features = config().features();
    if (frames.rank() != 3 || frames.size(2) != features || frames.size(1) < 1) {
      throw new IllegalArgumentException(
          "frames are " + frames.shape() + ": expected [B, T, " + features + "] with T at least 1");
    }
    return frames.sub(mean.value()).div(deviation.value());
  }

  /**
   * Computes the logits of the classes.
   *
   * @param frames [B, T, F]
   * @return [B, K]
   * @throws IllegalArgumentException if the frames have another shape
   */
  public final Tensor logits(Tensor frames) {
    return classify(states(checked(frames), null).mean(1, false));
  }

  /**
   * Computes the logits that it has after each frame, by the mean of the states so far; those after
   * the last frame are {@link #logits}.
   *
   * @param frames [B, T, F]
   * @return [B, T, K]
   * @throws UnsupportedOperationException if the model looks ahead
   */
  public final Tensor running(Tensor frames) {
    refuseLookingAhead();
    Tensor states = states(checked(frames), null);
    return classify(states.cumsum(1).div(counts(0, states)));
  }

  /** The numbers first + 1 … first + T: [T, 1]. */
  private static Tensor counts(long first, Tensor states) {
    return Tensor.arange(first + 1, first + 1 + states.size(1)).unsqueeze(1).to(states.dtype());
  }

  private void refuseLookingAhead() {
    if (looksAhead()) {
      throw new UnsupportedOperationException(
          "this "
              + config().type()
              + " looks ahead, so it has no answer before a sequence ends: expected a causal"
              + " model");
    }
  }

  /**
   * Begins to read sequences as they come. The model must be in inference mode.
   *
   * @throws UnsupportedOperationException if the model looks ahead
   */
  public final Stream stream() {
    refuseLookingAhead();
    if (isTraining()) {
      throw new IllegalStateException("a model in training cannot stream: call train(false)");
    }
    return new Stream(this);
  }

  /** A batch of sequences that a model reads as they come. It is not thread-safe. */
  public static final class Stream implements AutoCloseable {
    private final SequenceModel model;
    private final StreamState state = new StreamState();
    private Tensor sum;
    private long frames;

    private Stream(SequenceModel model) {
      this.model = model;
    }

    /**
     * Reads the next frames.
     *
     * @param next [B, T, F], usually T = 1
     * @return the logits after each of them, [B, T, K]: those of {@link #running}
     */
    public Tensor next(Tensor next) {
      Tensor states = model.states(model.checked(next), state).to(DType.FLOAT64);
      Tensor sums = sum == null ? states.cumsum(1) : states.cumsum(1).add(sum.unsqueeze(1));
      Tensor last = sums.select(1, sums.size(1) - 1).contiguous().keep();
      if (sum != null) {
        sum.close();
      }
      sum = last;
      Tensor means = sums.div(counts(frames, sums)).to(model.mean.value().dtype());
      frames += next.size(1);
      return model.classify(means);
    }

    /** Number of frames read. */
    public long frames() {
      return frames;
    }

    /** Bytes of memory held. */
    public long bytes() {
      return state.bytes() + (sum == null ? 0 : sum.elements() * sum.dtype().bytes());
    }

    @Override
    public void close() {
      state.close();
      if (sum != null) {
        sum.close();
      }
    }
  }

  @Override
  protected String details() {
    Config config = config();
    return String.format(
        Locale.ROOT,
        "sequences of %d x %d, width %d, %d classes",
        config.length(),
        config.features(),
        config.width(),
        config.classes());
  }
}
