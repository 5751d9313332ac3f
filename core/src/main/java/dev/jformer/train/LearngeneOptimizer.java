package dev.jformer.train;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Trains a model whose blocks are a linear expansion of a learngene, TLEG of <a
 * href="https://arxiv.org/abs/2312.05614">Transformer as Linear Expansion of Learngene</a>: the
 * weights of block l of L, norms and biases included, are {@code θ_B + (l / L) θ_A}, with l from 0.
 * What is trained are θ_A and θ_B; all other weights, such as embeddings and the output layer, are
 * trained as usual. The trained model is expanded to any depth by {@code jformer grow --depth}.
 *
 * <p>The model stays a plain one of L blocks, so it is run, saved and loaded as any other. This
 * optimizer holds θ_A and θ_B, gives them the gradients that follow by the chain rule, {@code Σ
 * g_l} for θ_B and {@code Σ (l / L) g_l} for θ_A, has an inner optimizer update them, and writes
 * the blocks anew. Gradients are clipped before, by the norm of the blocks' own.
 *
 * <p>If the blocks are on a line already, as those of a trained expansion are, that line is where
 * training begins. Otherwise θ_B is the first block and the matrices of θ_A are the second, two
 * independent draws; the vectors of θ_A are zero, as in the paper.
 */
public final class LearngeneOptimizer extends Optimizer {
  /**
   * Configuration.
   *
   * @param optimizer updates θ_A, θ_B and the weights outside the blocks
   */
  @AutoService(Optimizer.Config.class)
  public record Config(Optimizer.Config optimizer) implements Optimizer.Config {
    /** Default: AdamW. */
    public Config() {
      this(new AdamW.Config());
    }

    /** Checks the value. */
    public Config {
      Checks.notNull("optimizer", optimizer);
      Checks.check(
          !(optimizer instanceof Config), "optimizer", optimizer.type(), "another one inside");
    }

    @Override
    public String type() {
      return "learngene";
    }

    @Override
    public Optimizer build(Module module) {
      return new LearngeneOptimizer(module, this);
    }
  }

  /** A line with its trained ends. */
  private record Gene(DepthLines.Line line, Parameter base, Parameter slope) {}

  /** What the inner optimizer updates. */
  private static final class Genes extends Module {
    void add(String name, Parameter parameter) {
      register(name, parameter);
    }
  }

  private final List<Gene> genes = new ArrayList<>();
  private final Optimizer inner;

  /** Creates an optimizer, and lays the blocks of the module on a line. */
  LearngeneOptimizer(Module module, Config config) {
    super(module);
    Genes trained = new Genes();
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      List<DepthLines.Line> lines = DepthLines.of(weights());
      if (lines.isEmpty()) {
        throw new IllegalArgumentException(
            "the model has no blocks with weights to train, which a learngene expands to: expected"
                + " a Transformer");
      }
      boolean known = lines.stream().allMatch(Expansion::isLinear);
      for (DepthLines.Line line : lines) {
        Expansion start = known ? Expansion.of(line) : drawn(line);
        Gene gene =
            new Gene(line, Parameter.trained(start.base()), Parameter.trained(start.slope()));
        genes.add(gene);
        trained.add(line.stack() + ".base." + line.name(), gene.base());
        trained.add(line.stack() + ".slope." + line.name(), gene.slope());
      }
      weights()
          .forEach(
              (name, parameter) -> {
                if (!DepthLines.isInBlock(name)) {
                  trained.add(name, parameter);
                }
              });
      expand();
    }
    this.inner = config.optimizer().build(trained);
  }

  private static Expansion drawn(DepthLines.Line line) {
    Tensor first = line.weights().get(0).value().detach().copy();
    Tensor second = line.weights().get(Math.min(1, line.depth() - 1)).value().detach();
    boolean matrix = first.rank() >= 2;
    return new Expansion(first, matrix ? second.copy() : second.mul(0));
  }

  /** Writes the blocks. */
  private void expand() {
    for (Gene gene : genes) {
      for (int block = 0; block < gene.line().depth(); block++) {
        Tensor value = gene.base().value().add(gene.slope().value(), gene.line().at(block));
        gene.line().weights().get(block).copyFrom(value);
      }
    }
  }

  @Override
  public void step(double learningRate) {
    try (Scope scope = Scope.open()) {
      genes.forEach(LearngeneOptimizer::passGradients);
      inner.step(learningRate);
      try (Mode mode = Autograd.noGrad()) {
        expand();
      }
    }
  }

  /** Gives θ_B and θ_A their gradients: those of a sum of products with them. */
  private static void passGradients(Gene gene) {
    gene.base().value().clearGrad();
    gene.slope().value().clearGrad();
    Tensor toBase = null;
    Tensor toSlope = null;
    try (Mode mode = Autograd.noGrad()) {
      for (int block = 0; block < gene.line().depth(); block++) {
        Tensor gradient = gene.line().weights().get(block).value().grad();
        if (gradient != null) {
          double at = gene.line().at(block);
          toBase = toBase == null ? gradient.copy() : toBase.add(gradient);
          toSlope = toSlope == null ? gradient.mul(at) : toSlope.add(gradient, at);
        }
      }
    }
    if (toBase != null) {
      Tensor products = gene.base().value().mul(toBase).sum();
      products.add(gene.slope().value().mul(toSlope).sum()).backward();
    }
  }

  @Override
  public Map<String, Tensor> state() {
    Map<String, Tensor> state = new LinkedHashMap<>(inner.state());
    for (Gene gene : genes) {
      String name = gene.line().stack() + ".%s." + gene.line().name() + ".value";
      state.put(name.formatted("base"), gene.base().value().detach());
      state.put(name.formatted("slope"), gene.slope().value().detach());
    }
    return state;
  }

  @Override
  public void close() {
    super.close();
    genes.forEach(
        gene -> {
          gene.base().value().close();
          gene.slope().value().close();
        });
  }
}
