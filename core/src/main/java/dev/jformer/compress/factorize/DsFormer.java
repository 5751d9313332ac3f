package dev.jformer.compress.factorize;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.Folding;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.config.Checks;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.factorized.DenseSparseFormat;
import dev.jformer.nn.factorized.DenseSparseLinear;
import dev.jformer.nn.factorized.FactorizedWeight;
import dev.jformer.nn.factorized.StraightThroughFactorizer;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Map;
import java.util.function.DoubleConsumer;

/**
 * Factorizes the linear layers of a model into dense bases times sparse coefficients, as in <a
 * href="https://arxiv.org/abs/2312.13211">DSFormer: Effective Compression of Text-Transformers by
 * Dense-Sparse Weight Factorization</a>. See {@link DenseSparseLinear}. Each block of outputs is
 * factorized separately: the basis starts with its singular vectors and randomly drawn columns,
 * then matching pursuit and updates of the basis alternate. It needs no data. The result can be
 * trained further; in the form {@link Form#TRAINING} training may also choose other coefficients
 * ({@link StraightThroughFactorizer}), and this method then converts the trained model to its small
 * form.
 *
 * @param factor the compression: bytes of the matrices over those of the factors; 2, 2.8 or 3.57 in
 *     the paper
 * @param block the most outputs of a block
 * @param basis the most vectors of a basis
 * @param turns number of alternations of pursuit and updates
 * @param seed seed of the drawn columns
 * @param form the form of the result
 */
@AutoService(Compression.class)
public record DsFormer(double factor, int block, int basis, int turns, long seed, Form form)
    implements Compression {
  /** The form of the result. */
  public enum Form {
    /** Small files and memory. */
    STORED,
    /** All coefficients, of which a pass uses few, so that training can choose them. */
    TRAINING
  }

  private static final Operator EIGENVECTORS = Operator.named("aten::linalg_eigh");

  /** Defaults: half of the bytes. */
  public DsFormer() {
    this(2);
  }

  /** Default settings with a compression factor. */
  public DsFormer(double factor) {
    this(factor, Form.STORED);
  }

  /** Default settings with a compression factor and a form. */
  public DsFormer(double factor, Form form) {
    this(
        factor,
        new DenseSparseLinear.Config().block(),
        new DenseSparseLinear.Config().basis(),
        6,
        1,
        form);
  }

  /** Checks the values. */
  public DsFormer {
    new StraightThroughFactorizer.Config(factor, block, basis);
    Checks.atLeast("turns", turns, 0);
    if (form == null) {
      throw new IllegalArgumentException("form is null: expected stored or training");
    }
  }

  @Override
  public String type() {
    return "dsformer";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    return apply(model, calibration, progress -> {});
  }

  @Override
  public Model apply(Model model, CalibrationData calibration, DoubleConsumer progress) {
    if (form == Form.STORED
        && ModelRebuilder.projection(model) instanceof StraightThroughFactorizer.Config) {
      return new Folding().apply(model, calibration);
    }
    StraightThroughFactorizer.Config training =
        new StraightThroughFactorizer.Config(factor, block, basis);
    return ModelRebuilder.replaced(
        type(),
        model,
        form == Form.STORED ? training.folded() : training,
        FactorizedWeight.class,
        layers -> {
          Map<String, Linear> originals = ModelRebuilder.linears(model, layers);
          ModelRebuilder.each(
              layers, progress, (name, layer) -> fill(name, layer, originals.get(name)));
        });
  }

  private void fill(String name, FactorizedWeight layer, Linear original) {
    DenseSparseFormat format = layer.format();
    try (Scope scope = Scope.open()) {
      Tensor blocks = format.cut(original.weight().value().detach().to(DType.FLOAT64));
      int count = Math.toIntExact(format.blocks());
      int each = Math.toIntExact(format.in() * format.basis());
      double[] coefficients = new double[Math.multiplyExact(count, each)];
      boolean[] kept = new boolean[coefficients.length];
      double[] bases = new double[count * format.basis() * format.block()];
      int at = 0;
      for (int b = 0; b < count; b++) {
        DenseSparseFactors factors = factors(blocks.select(0, b), format);
        factors.write(coefficients, kept, b * each);
        for (double[] vector : factors.basis()) {
          System.arraycopy(vector, 0, bases, at, vector.length);
          at += vector.length;
        }
      }
      layer.fill(
          Tensor.of(coefficients, count, format.in(), format.basis()),
          Tensor.of(kept, count, format.in(), format.basis()),
          Tensor.of(bases, count, format.basis(), format.block()));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("the layer " + name + ": " + e.getMessage(), e);
    }
  }

  private DenseSparseFactors factors(Tensor block, DenseSparseFormat format) {
    int width = format.block();
    Tensor ascending = EIGENVECTORS.callAll(block.t().matmul(block), "L").get(1);
    double[][] start = rows(ascending.flip(1).t().contiguous(), width);
    return DenseSparseFactors.of(
        rows(block.contiguous(), width), start, format.basis(), format.nonzeros(), turns, seed);
  }

  private static double[][] rows(Tensor matrix, int width) {
    double[] flat = matrix.toDoubles();
    double[][] rows = new double[flat.length / width][];
    for (int r = 0; r < rows.length; r++) {
      rows[r] = java.util.Arrays.copyOfRange(flat, r * width, (r + 1) * width);
    }
    return rows;
  }
}
