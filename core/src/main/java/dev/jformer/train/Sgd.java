package dev.jformer.train;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Stochastic gradient descent with momentum (<a
 * href="https://proceedings.mlr.press/v28/sutskever13.html">On the importance of initialization and
 * momentum in deep learning</a>), as PyTorch computes it: {@code v ← momentum v + g + decay w},
 * then {@code w ← w - rate v}, or with Nesterov's momentum {@code w ← w - rate (g + decay w +
 * momentum v)}. Unlike AdamW it has one rate for all weights, as σReparam's authors train with.
 * Weights with two or more dimensions decay; biases, norms and other vectors do not.
 */
public final class Sgd extends Optimizer {
  /**
   * Configuration of the optimizer.
   *
   * @param momentum share of the last step that the next one keeps
   * @param nesterov whether the gradient is taken as if the step of the momentum had been made
   * @param weightDecay factor of a weight that is added to its gradient
   */
  @AutoService(Optimizer.Config.class)
  @RecordBuilder
  public record Config(double momentum, boolean nesterov, double weightDecay)
      implements Optimizer.Config, SgdConfigBuilder.With {
    /** Defaults: momentum 0.9, no decay. */
    public Config() {
      this(0.9, false, 0);
    }

    /** Checks the values. */
    public Config {
      Checks.check(momentum >= 0 && momentum < 1, "momentum", momentum, "a share in [0, 1)");
      Checks.atLeast("weightDecay", weightDecay, 0.0);
      Checks.check(!nesterov || momentum > 0, "nesterov", nesterov, "a momentum above 0, or false");
    }

    @Override
    public String type() {
      return "sgd";
    }

    @Override
    public Optimizer build(Module module) {
      return new Sgd(module, this);
    }
  }

  private final Config config;
  private final Map<String, Tensor> steps = new LinkedHashMap<>();

  /** Creates an optimizer for the weights of {@code module} that are not frozen. */
  public Sgd(Module module, Config config) {
    super(module);
    this.config = config;
    try (Scope scope = Scope.open()) {
      weights()
          .forEach(
              (name, weight) ->
                  steps.put(
                      name, Tensor.zeros(DType.FLOAT32, weight.value().shape().toArray()).keep()));
    }
  }

  @Override
  public void step(double learningRate) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      weights().forEach((name, weight) -> step(name, weight, learningRate));
    }
  }

  private void step(String name, Parameter weight, double learningRate) {
    Tensor gradient = weight.value().grad();
    if (gradient == null) {
      return;
    }
    Tensor velocity = steps.get(name);
    checkShape(name, weight, velocity);
    Tensor slope =
        config.weightDecay() > 0 && decays(weight)
            ? gradient.add(weight.value(), config.weightDecay())
            : gradient;
    velocity.mul_(config.momentum()).add_(slope, 1);
    Tensor direction = config.nesterov() ? slope.add(velocity, config.momentum()) : velocity;
    weight.value().detach().add_(direction, -learningRate);
  }

  @Override
  public Map<String, Tensor> state() {
    Map<String, Tensor> state = new LinkedHashMap<>();
    steps.forEach((name, velocity) -> state.put(name + ".velocity", velocity));
    return state;
  }
}
