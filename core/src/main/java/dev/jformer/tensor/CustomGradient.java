package dev.jformer.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Edge;
import org.bytedeco.pytorch.EdgeVector;
import org.bytedeco.pytorch.FunctionPostHook;
import org.bytedeco.pytorch.FunctionPreHook;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Node;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * A node of the gradient graph whose gradients are computed in Java; see {@link
 * Autograd#withGradient}.
 *
 * <p>The binding cannot subclass nodes. So we take a node of libtorch's own, that of {@code cat} of
 * empty vectors, and redirect its edges to our operands. A hook that runs before the node takes the
 * incoming gradient away, so that the node passes none on; a hook that runs after it returns our
 * gradients.
 *
 * <p>libtorch owns only the native halves of the hooks, so the Java halves are held here for as
 * long as the node can run. One further edge shows how long that is: it leads to the node of a
 * product, which holds one of its factors (the witness) until it is destroyed or releases what it
 * saved.
 */
final class CustomGradient {
  /** Edges that do not lead to operands. */
  private static final int OTHER_EDGES = 1;

  private static final List<CustomGradient> LIVE = new ArrayList<>();

  /**
   * The gradients that this thread handed to libtorch last: cleared at the next call, because
   * libtorch would keep their memory.
   */
  private static final ThreadLocal<TensorVector> HANDED = new ThreadLocal<>();

  private final String name;
  private final List<Tensor> operands;
  private final long[] versions;
  private final Autograd.Backward backward;
  private final org.bytedeco.pytorch.Tensor witness;
  private final FunctionPreHook before = new Before();
  private final FunctionPostHook after = new After();
  private Tensor gradient;

  private CustomGradient(
      String name,
      List<Tensor> operands,
      Autograd.Backward backward,
      org.bytedeco.pytorch.Tensor witness) {
    this.name = name;
    this.operands = operands;
    this.versions = operands.stream().mapToLong(Tensor::version).toArray();
    this.backward = backward;
    this.witness = witness;
  }

  /** Whether a gradient is recorded for results computed from these operands. */
  static boolean isWanted(Tensor... operands) {
    return GradMode.is_enabled() && Arrays.stream(operands).anyMatch(Tensor::requiresGrad);
  }

  /** Makes {@code result}, which has no gradient yet, depend on the operands. */
  static void attach(String name, Tensor result, Autograd.Backward backward, Tensor... operands) {
    releaseFinished();
    try (PointerScope scope = new PointerScope()) {
      List<Tensor> saved = new ArrayList<>();
      var witness = torch.ones(1);
      witness.retainReference();
      EdgeVector edges = new EdgeVector(OTHER_EDGES + operands.length);
      edges.put(0, new Edge(holding(witness), 0));
      TensorVector nothing = new TensorVector(empty());
      for (int i = 0; i < operands.length; i++) {
        var operand = operands[i].torch();
        saved.add(new Tensor(operand.detach()).keep());
        if (operand.requires_grad()) {
          edges.put(OTHER_EDGES + i, operand.alias().grad_fn().next_edge(0));
        }
        nothing.push_back(empty());
      }
      Node node = torch.cat(nothing).grad_fn();
      node.set_next_edges(edges);
      node.clear_input_metadata();
      CustomGradient own = new CustomGradient(name, saved, backward, witness);
      own.before.retainReference();
      own.after.retainReference();
      synchronized (LIVE) {
        LIVE.add(own);
      }
      node.add_pre_hook(own.before);
      node.add_post_hook(own.after);
      torch.create_gradient_edge(result.torch(), node);
    }
  }

  private static org.bytedeco.pytorch.Tensor empty() {
    var empty = torch.empty(0);
    empty.set_requires_grad(true);
    return empty;
  }

  /** A node without successors that holds a tensor as long as it can run. */
  private static Node holding(org.bytedeco.pytorch.Tensor tensor) {
    var factor = torch.ones(1);
    factor.set_requires_grad(true);
    Node node = factor.mul(tensor).grad_fn();
    node.set_next_edges(new EdgeVector(new Edge(), new Edge()));
    return node;
  }

  /** Releases what belongs to nodes that can no longer run. */
  private static void releaseFinished() {
    synchronized (LIVE) {
      LIVE.removeIf(CustomGradient::releaseIfFinished);
    }
  }

  private boolean releaseIfFinished() {
    boolean done = witness.use_count() == 1;
    if (done) {
      operands.forEach(Tensor::close);
      witness.deallocate();
    }
    return done;
  }

  /** The number of nodes that can still run, as far as is known. */
  static int live() {
    synchronized (LIVE) {
      releaseFinished();
      return LIVE.size();
    }
  }

  private static void replaceHanded(TensorVector next) {
    TensorVector last = HANDED.get();
    if (last != null && !last.isNull()) {
      last.clear();
    }
    HANDED.set(next);
  }

  private final class Before extends FunctionPreHook {
    @Override
    public TensorVector apply(TensorVector gradients) {
      gradient = Native.ownOrNull(gradients.get(0));
      return new TensorVector(1);
    }
  }

  private final class After extends FunctionPostHook {
    @Override
    public TensorVector apply(TensorVector outputs, TensorVector inputs) {
      releaseFinished();
      // Gradients of other such nodes may be computed meanwhile, which clears what was handed over.
      List<Tensor> gradients = gradient == null ? null : gradients();
      gradient = null;
      TensorVector result = new TensorVector(OTHER_EDGES + operands.size());
      replaceHanded(result);
      if (gradients != null) {
        for (int i = 0; i < gradients.size(); i++) {
          if (gradients.get(i) != null) {
            result.put(OTHER_EDGES + i, gradients.get(i).torch());
            gradients.get(i).close();
          }
        }
      }
      return result;
    }
  }

  private List<Tensor> gradients() {
    if (GradMode.is_enabled()) {
      throw new TensorException(
          name + " has no second derivative: compute its gradient without createGraph");
    }
    for (int i = 0; i < versions.length; i++) {
      if (operands.get(i).isClosed()) {
        throw new TensorException(
            name
                + ": its gradients were already computed and their operands released; run the"
                + " forward pass again");
      }
      if (operands.get(i).version() != versions[i]) {
        throw new TensorException(
            name + ": operand " + i + " was changed in place before its gradient was computed");
      }
    }
    // What is made on the way must not stay until the scope of the whole backward pass closes.
    try (Scope scope = Scope.open()) {
      List<Tensor> gradients = backward.gradients(gradient, operands);
      gradients.stream().filter(Objects::nonNull).forEach(Tensor::keep);
      return gradients;
    }
  }
}
