package dev.jformer.train;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Adam with decoupled weight decay (<a href="https://arxiv.org/abs/1711.05101">Decoupled Weight
 * Decay Regularization</a>), on libtorch's fused kernel: one pass over each weight and its state.
 * Weights with two or more dimensions decay; biases, norms and other vectors do not.
 */
public final class AdamW extends Optimizer {
  private static final Operator FUSED = Operator.named("aten::_fused_adamw_");

  /**
   * Configuration of the optimizer.
   *
   * @param beta1 decay rate of the mean of gradients
   * @param beta2 decay rate of the mean of squared gradients
   * @param epsilon added to the denominator
   * @param weightDecay share of a weight, times the learning rate, that is subtracted at each step
   */
  @AutoService(Optimizer.Config.class)
  @RecordBuilder
  public record Config(double beta1, double beta2, double epsilon, double weightDecay)
      implements Optimizer.Config, AdamWConfigBuilder.With {
    /** Defaults that suit small language models. */
    public Config() {
      this(0.9, 0.99, 1e-8, 0.1);
    }

    /** Checks the values. */
    public Config {
      Checks.check(beta1 >= 0 && beta1 < 1, "beta1", beta1, "a decay rate in [0, 1)");
      Checks.check(beta2 >= 0 && beta2 < 1, "beta2", beta2, "a decay rate in [0, 1)");
      Checks.moreThan("epsilon", epsilon, 0);
      Checks.atLeast("weightDecay", weightDecay, 0.0);
    }

    @Override
    public String type() {
      return "adamw";
    }

    @Override
    public Optimizer build(Module module) {
      return new AdamW(module, this);
    }
  }

  private final Config config;
  private final Map<String, Slot> slots = new LinkedHashMap<>();

  /** Creates an optimizer for the weights of {@code module} that are not frozen. */
  public AdamW(Module module, Config config) {
    super(module);
    this.config = config;
    try (Scope scope = Scope.open()) {
      weights().forEach((name, parameter) -> slots.put(name, new Slot(name, parameter)));
    }
  }

  private static final class Slot {
    final String name;
    final Parameter parameter;
    final Tensor mean;
    final Tensor square;
    final Tensor steps;

    Slot(String name, Parameter parameter) {
      this.name = name;
      this.parameter = parameter;
      long[] shape = parameter.value().shape().toArray();
      this.mean = Tensor.zeros(DType.FLOAT32, shape).keep();
      this.square = Tensor.zeros(DType.FLOAT32, shape).keep();
      this.steps = Tensor.zeros().keep();
    }
  }

  @Override
  public void step(double learningRate) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      step(learningRate, true, config.weightDecay());
      step(learningRate, false, 0);
    }
  }

  private void step(double learningRate, boolean decays, double weightDecay) {
    List<Tensor> weights = new ArrayList<>();
    List<Tensor> gradients = new ArrayList<>();
    List<Tensor> means = new ArrayList<>();
    List<Tensor> squares = new ArrayList<>();
    List<Tensor> steps = new ArrayList<>();
    for (Slot slot : slots.values()) {
      Tensor gradient = decays(slot.parameter) == decays ? slot.parameter.value().grad() : null;
      if (gradient != null) {
        checkShape(slot.name, slot.parameter, slot.mean);
        weights.add(slot.parameter.value());
        gradients.add(gradient);
        means.add(slot.mean);
        squares.add(slot.square);
        steps.add(slot.steps.add_(1));
      }
    }
    if (!weights.isEmpty()) {
      FUSED.callAll(
          weights,
          gradients,
          means,
          squares,
          List.of(),
          steps,
          learningRate,
          config.beta1(),
          config.beta2(),
          weightDecay,
          config.epsilon(),
          false,
          false);
    }
  }

  @Override
  public Map<String, Tensor> state() {
    Map<String, Tensor> state = new LinkedHashMap<>();
    slots.forEach(
        (name, slot) -> {
          state.put(name + ".mean", slot.mean);
          state.put(name + ".square", slot.square);
          state.put(name + ".steps", slot.steps);
        });
    return state;
  }
}
