package dev.jformer.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.tensor.TensorException;
import dev.jformer.testing.Scoped;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class ModuleTest {
  /**
   * table (2x3), scale (3), buffer seen (1), layers.0 and layers.1 (3x3 + 3), head tied to table.
   */
  private static final class Tree extends Module {
    final Parameter scale = parameter("scale", Tensor.ones(3));
    final Parameter seen = buffer("seen", Tensor.zeros(DType.INT64, 1));
    final Embedding table = new Embedding(2, 3, Initializer.normal(1));
    final Slot<Layer> embedding = child("table", Layer.class, table);
    final List<Slot<Layer>> layers = children("layers", Layer.class, List.of(linear(), linear()));
    final Slot<Layer> head = child("head", Layer.class, new Linear(table.weight()));

    static Linear linear() {
      return new Linear(3, 3, true, Initializer.zeros());
    }
  }

  @Test
  void namesFollowTheTreeAndTiedWeightsCountOnce() {
    Tree tree = new Tree();
    assertEquals(
        List.of(
            "scale",
            "seen",
            "table.weight",
            "layers.0.weight",
            "layers.0.bias",
            "layers.1.weight",
            "layers.1.bias"),
        List.copyOf(tree.parameters().keySet()));
    assertEquals(3 + 6 + 2 * (9 + 3), tree.parameterCount(), "the buffer does not count");
    assertEquals(6, tree.trained().size());
    assertEquals(4 * (3 + 6 + 2 * (9 + 3)) + 8, tree.parameterBytes(), "float32, and one int64");
    assertEquals(
        List.of("", "table", "layers.0", "layers.1", "head"), List.copyOf(tree.modules().keySet()));
    assertSame(tree.table.weight(), ((Linear) tree.head.get()).weight());
  }

  /** A layer whose members are listed as those of the module that holds it. */
  private static final class Holder extends Module {
    final Parameter first = parameter("first", Tensor.ones(1));
    final Slot<Tree> tree = unnamedChild(Tree.class, new Tree());
    final Slot<Layer> last = child("last", Layer.class, Tree.linear());
  }

  @Test
  void membersOfAnUnnamedChildAreListedAsItsParentsOwn() {
    Holder holder = new Holder();
    List<String> names = List.copyOf(holder.parameters().keySet());
    assertEquals(List.of("first", "scale", "seen", "table.weight"), names.subList(0, 4));
    assertEquals(List.of("last.weight", "last.bias"), names.subList(8, 10));
    assertEquals(
        List.of("", "table", "layers.0", "layers.1", "head", "last"),
        List.copyOf(holder.modules().keySet()));
    assertSame(holder, holder.modules().get(""));
    Layer other = Tree.linear();
    holder.replace("layers.1", other);
    assertSame(other, holder.tree.get().layers.get(1).get());
    holder.train(false);
    assertFalse(holder.tree.get().isTraining() || other.isTraining());
    assertThrows(IllegalArgumentException.class, () -> holder.replace("", other));
  }

  @Test
  void twoMembersOfOneNameAreRefusedAcrossAnUnnamedChild() {
    assertThrows(
        IllegalStateException.class,
        () ->
            new Module() {
              final Slot<Layer> head = child("head", Layer.class, Tree.linear());
              final Slot<Tree> tree = unnamedChild(Tree.class, new Tree());
            });
  }

  @Test
  void tiedWeightsGetTheSumOfBothGradients() {
    Tree tree = new Tree();
    Tensor x = tree.embedding.get().forward(Tensor.of(new long[] {1}, 1));
    tree.head.get().forward(x).sum().backward();
    // f(W) = Σ_v w_v·w_1: ∂/∂w_0 = w_1 and ∂/∂w_1 = w_0 + 2 w_1.
    double[] w = tree.table.weight().value().toDoubles();
    double[] gradient = tree.table.weight().value().grad().toDoubles();
    for (int i = 0; i < 3; i++) {
      assertEquals(w[3 + i], gradient[i], 1e-6);
      assertEquals(w[i] + 2 * w[3 + i], gradient[3 + i], 1e-6);
    }
  }

  @Test
  void childrenCanBeReplaced() {
    Tree tree = new Tree();
    tree.train(false);
    Layer old = tree.layers.get(1).get();
    Identity replacement = new Identity();
    assertSame(old, tree.replace("layers.1", replacement));
    assertSame(replacement, tree.layers.get(1).get());
    assertSame(replacement, tree.modules().get("layers.1"));
    assertFalse(replacement.isTraining(), "takes over the mode of what it replaces");
    assertFalse(tree.parameters().containsKey("layers.1.weight"));
  }

  @Test
  void replacementsMustFit() {
    Tree tree = new Tree();
    for (String name : List.of("layers.2", "layers", "", "table.weight", "head.x", "layers.1.x")) {
      var missing =
          assertThrows(
              IllegalArgumentException.class, () -> tree.replace(name, new Identity()), name);
      assertTrue(missing.getMessage().contains("'" + name + "'"), missing.getMessage());
    }
    var wrong =
        assertThrows(IllegalArgumentException.class, () -> tree.replace("head", new Tree()));
    assertTrue(
        wrong.getMessage().contains("Tree") && wrong.getMessage().contains("Layer"),
        wrong.getMessage());
    assertTrue(tree.head.get() instanceof Linear, "a refused replacement changes nothing");
  }

  @Test
  void tenthLayersAreNotTakenForFirstOnes() {
    List<Linear> many = java.util.stream.Stream.generate(Tree::linear).limit(12).toList();
    Module tree =
        new Module() {
          {
            children("layers", Layer.class, many);
          }
        };
    assertSame(many.get(10), tree.replace("layers.10", new Identity()));
    assertSame(many.get(1), tree.modules().get("layers.1"));
  }

  @Test
  void twoMembersCannotHaveOneName() {
    assertThrows(
        IllegalStateException.class,
        () ->
            new Module() {
              {
                parameter("x", Tensor.ones(1));
                child("x", Layer.class, new Identity());
              }
            });
  }

  @Test
  void trainingModeReachesTheWholeTree() {
    Tree tree = new Tree();
    assertTrue(tree.modules().values().stream().allMatch(Module::isTraining));
    tree.train(false);
    assertTrue(tree.modules().values().stream().noneMatch(Module::isTraining));
  }

  @Test
  void weightsOutliveScopesUntilTheModuleIsClosed() {
    Tree tree;
    try (Scope scope = Scope.open()) {
      tree = new Tree();
    }
    assertEquals(3, tree.scale.value().sum().item());
    tree.close();
    tree.parameters().forEach((name, p) -> assertTrue(p.value().isClosed(), name));
  }

  @Test
  void gradientsAreForgotten() {
    Tree tree = new Tree();
    tree.scale.value().sum().backward();
    assertNotNull(tree.scale.value().grad());
    tree.clearGrads();
    assertNull(tree.scale.value().grad());
  }

  @Test
  void frozenWeightsGetNoGradientAndStayFrozen() {
    Tree tree = new Tree();
    tree.scale.freeze(true);
    assertFalse(tree.trained().contains(tree.scale));
    assertEquals(3 + 6 + 24, tree.parameterCount(), "a frozen weight is a weight still");
    tree.scale.replace(Tensor.ones(5).to(DType.FLOAT64));
    assertFalse(tree.scale.value().requiresGrad());
    tree.scale.freeze(false);
    assertTrue(tree.scale.value().requiresGrad());
    tree.seen.freeze(false);
    assertFalse(tree.seen.value().requiresGrad(), "a buffer never gets a gradient");
  }

  @Test
  void parametersTakeValuesOfTheirShapeOnly() {
    Parameter parameter = Parameter.trained(Tensor.zeros(2, 2));
    parameter.copyFrom(Tensor.of(new long[] {1, 2, 3, 4}, 2, 2));
    assertEquals(DType.FLOAT32, parameter.value().dtype());
    assertEquals(10, parameter.value().sum().item());
    var error = assertThrows(TensorException.class, () -> parameter.copyFrom(Tensor.zeros(1, 2)));
    assertTrue(error.getMessage().contains("[2x2]") && error.getMessage().contains("[1x2]"));
    Tensor old = parameter.value();
    parameter.replace(Tensor.of(new byte[] {1}, 1));
    assertEquals(DType.INT8, parameter.value().dtype());
    assertFalse(parameter.value().requiresGrad(), "integers carry no gradient");
    assertTrue(old.isClosed());
  }

  @Test
  void aParameterIsALeafOfItsOwn() {
    Tensor source = Tensor.ones(2).requiresGrad(true);
    Parameter parameter = Parameter.trained(source.mul(3));
    parameter.value().sum().backward();
    assertNull(source.grad(), "gradients stop at the parameter");
  }
}
