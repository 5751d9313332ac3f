package dev.jformer.model;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.nn.TokenSubset;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;

/**
 * A causal stack that reads pairs (x, y) of numbers, and predicts each y from its x and the pairs
 * before it, as in <a href="https://arxiv.org/abs/2208.01066">What Can Transformers Learn
 * In-Context? A Case Study of Simple Function Classes</a>. Each x and each y is a token, made by a
 * linear layer; what is predicted is read at the x. Any token mixer serves.
 */
public final class InContextModel extends Model {
  /** What a model says of an output. */
  public enum Prediction {
    /** Its expected value; the loss is the squared error. */
    VALUE(1),
    /** Its mean and the logarithm of its variance; the loss is -log of the Gaussian density. */
    GAUSSIAN(2),
    /** The logit of y = 1 against y = -1; the loss is the cross-entropy. */
    SIGN(1);

    private final int numbers;

    Prediction(int numbers) {
      this.numbers = numbers;
    }

    /** How many numbers the head gives for each example. */
    public int numbers() {
      return numbers;
    }

    /**
     * The loss of each prediction.
     *
     * @param predicted [B, T, numbers]
     * @param y the outputs [B, T]
     * @return [B, T]; for Gaussians without the constant ½ log 2π
     */
    public Tensor loss(Tensor predicted, Tensor y) {
      Tensor first = predicted.select(2, 0);
      return switch (this) {
        case VALUE -> first.sub(y).square();
        case GAUSSIAN -> {
          Tensor logVariance = predicted.select(2, 1);
          Tensor distance = first.sub(y).square().mul(logVariance.neg().exp());
          yield distance.add(logVariance).mul(0.5);
        }
        case SIGN -> Functional.softplus(first.mul(y).neg());
      };
    }
  }

  /**
   * Configuration.
   *
   * @param inputs n, the numbers of an x
   * @param length the most examples that it is trained on; the stack reads two tokens for each
   * @param prediction what it says of an output
   * @param loop how often the blocks are run, and which stand before and after
   * @param stack the blocks
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(
      int inputs, int length, Prediction prediction, LoopConfig loop, @Flat StackConfig stack)
      implements Model.Config, HasStack<Config>, InContextModelConfigBuilder.With {
    /** Defaults: values of up to 40 examples with 5 inputs. */
    public Config() {
      this(5, 40, Prediction.VALUE, new LoopConfig(), new StackConfig());
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("inputs", inputs, 1);
      Checks.between("length", length, 1, Integer.MAX_VALUE / 2);
      Checks.notNull("prediction", prediction);
      Checks.notNull("loop", loop);
    }

    @Override
    public String type() {
      return "in-context";
    }

    @Override
    public InContextModel build() {
      return new InContextModel(this);
    }

    @Override
    public Config withStack(StackConfig stack) {
      return InContextModelConfigBuilder.With.super.withStack(stack);
    }
  }

  private final Config config;
  private final Slot<Layer> input;
  private final Slot<Layer> output;
  private final Slot<TransformerStack<Block>> stack;
  private final Slot<Layer> head;

  /** The blocks before and after the loop; null for none. */
  private final Slot<TransformerStack<Block>> before;

  private final Slot<TransformerStack<Block>> after;

  /** Creates a model with random weights. */
  public InContextModel(Config config) {
    this.config = config;
    int width = config.width();
    Initializer fanIn = Initializer.uniformFanIn();
    this.input = child("input", Layer.class, new Linear(config.inputs(), width, true, fanIn));
    this.output = child("output", Layer.class, new Linear(1, width, true, fanIn));
    this.stack =
        unnamedChild(
            TransformerStack.class,
            TransformerStack.of(
                config.stack(),
                new TransformerStack.Setting(2 * config.length()).withCausal(true)));
    LoopConfig loop = config.loop();
    this.before = beside("before", loop.before(), config.stack());
    this.after =
        beside("after", loop.after(), config.stack().withPosition(new NoPosition.Config()));
    Initializer normal = Initializer.normal(config.init().deviation());
    this.head =
        child("head", Layer.class, new Linear(width, config.prediction().numbers(), true, normal));
  }

  private Slot<TransformerStack<Block>> beside(String name, int layers, StackConfig shape) {
    return layers == 0
        ? null
        : child(
            name,
            TransformerStack.class,
            TransformerStack.of(
                shape.withLayers(layers),
                new TransformerStack.Setting(2 * config.length()).withCausal(true)));
  }

  @Override
  public Config config() {
    return config;
  }

  /** The blocks, first to last. */
  public List<Block> blocks() {
    return stack.get().blocks();
  }

  /** The most examples that it can read. */
  public long longest() {
    return stack.get().longest() / 2;
  }

  /**
   * Predicts each output from its inputs and the examples before it.
   *
   * @param x [B, T, n]
   * @param y [B, T]
   * @return [B, T, numbers], float32 or float64
   * @throws IllegalArgumentException if the number of inputs is another one, or there are more
   *     examples than the model can read
   */
  public Tensor predict(Tensor x, Tensor y) {
    List<Tensor> all = iterate(x, y, config.loop().times(), 1);
    return all.get(all.size() - 1);
  }

  /**
   * Predicts as {@link #predict} does, after each of the last iterations that are learned.
   *
   * @return [B, T, numbers] each, first to last; one if there is no loop
   */
  public List<Tensor> predictions(Tensor x, Tensor y) {
    return iterate(x, y, config.loop().times(), config.loop().learned());
  }

  /**
   * Predicts as {@link #predict} does, after each of a number of iterations, which may be more than
   * in training.
   *
   * @param times number of iterations
   * @param last how many of the last ones have predictions
   */
  public List<Tensor> iterate(Tensor x, Tensor y, int times, int last) {
    if (x.size(2) != config.inputs()) {
      throw new IllegalArgumentException(
          "examples have "
              + x.size(2)
              + " inputs, but the model reads "
              + config.inputs()
              + ": expected as many");
    }
    if (x.size(1) > longest()) {
      throw new IllegalArgumentException(
          "a prompt of "
              + x.size(1)
              + " examples is longer than the "
              + longest()
              + " that the model can read: choose position=none or rope for longer ones");
    }
    Tensor pairs = Tensor.stack(2, input.get().forward(x), output.get().forward(y.unsqueeze(2)));
    Tensor injected = pairs.flatten(1, 2);
    if (before != null) {
      injected = before.get().forward(injected, null, null);
    }
    List<Tensor> predictions = new ArrayList<>();
    Tensor state = null;
    for (int i = 0; i < times; i++) {
      Tensor read = state == null ? injected : state.add(injected);
      if (i == times - 1 && after == null) {
        predictions.add(predicted(stack.get().forwardAt(read, TokenSubset.even())));
      } else {
        state = stack.get().forward(read, null, null);
        if (i >= times - last) {
          predictions.add(
              predicted(
                  after == null
                      ? TokenSubset.even().of(state, 1)
                      : after.get().forwardAt(state, TokenSubset.even())));
        }
      }
    }
    return predictions;
  }

  /** Predictions from the states of the inputs. */
  private Tensor predicted(Tensor atInputs) {
    Tensor predicted = head.get().forward(atInputs);
    return predicted.dtype() == DType.FLOAT64 ? predicted : predicted.to(DType.FLOAT32);
  }

  @Override
  protected String details() {
    int times = config.loop().times();
    return config.layers()
        + " layers"
        + (times == 1 ? "" : ", " + times + " times")
        + ", width "
        + config.width();
  }
}
