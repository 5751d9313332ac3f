package dev.jformer.adapt;

import dev.jformer.nn.ForwardHook;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The search for EVA's components and ranks: runs the model on batches until the components within
 * the ranks do not turn any more.
 */
final class EvaSearch implements AutoCloseable {
  private final Eva eva;
  private final List<AdapterTarget> targets = new ArrayList<>();
  private final Map<String, LayerComponents> layers = new LinkedHashMap<>();
  private Map<AdapterTarget, Integer> ranks = Map.of();
  private final Set<String> done = new HashSet<>();
  private Tensor counted;

  EvaSearch(Eva eva, Iterable<AdapterTarget> all) {
    this.eva = eva;
    for (AdapterTarget target : all) {
      targets.add(target);
      layers.computeIfAbsent(target.layer(), name -> new LayerComponents(eva, target));
    }
  }

  /** Runs the model on batches until all layers have converged. */
  void run(AdaptationData data) {
    boolean training = data.model().isTraining();
    data.model().train(false);
    try (Mode mode = Autograd.noGrad();
        ForwardHook hook = ForwardHook.on(data.model(), layers::containsKey, this::see)) {
      for (long batch = 0; batch < eva.batches() && !haveAllConverged(); batch++) {
        try (Scope scope = Scope.open()) {
          counted = data.counted(batch);
          data.run(batch);
          ranks = ranks();
        }
      }
    } finally {
      data.model().train(training);
    }
    layers.forEach(
        (name, layer) -> {
          if (!layer.hasData()) {
            throw new IllegalArgumentException(
                "EVA looks for "
                    + layer.count()
                    + " components of the inputs of "
                    + name
                    + ", but no batch had so many tokens: raise training.batch, or lower"
                    + " adapter.rank or adapter.rho");
          }
        });
  }

  private void see(ForwardHook.Output seen) {
    if (done.contains(seen.layer())) {
      return;
    }
    Tensor flat = layers.get(seen.layer()).inputs(seen.input());
    if (counted != null && counted.elements() == flat.size(0)) {
      flat = flat.indexSelect(0, counted.reshape(-1).nonzero().reshape(-1));
    }
    if (!flat.isFinite().all()) {
      throw new IllegalArgumentException(
          "the layer "
              + seen.layer()
              + " was given numbers that are not finite: the model or the data is damaged");
    }
    layers.get(seen.layer()).add(flat);
  }

  /** Finds the layers that have converged, which are left alone until their rank grows. */
  private boolean haveAllConverged() {
    Map<String, Integer> highest = new LinkedHashMap<>();
    ranks.forEach((target, rank) -> highest.merge(target.layer(), rank, Math::max));
    done.clear();
    layers.forEach(
        (name, layer) -> {
          Integer rank = highest.get(name);
          if (rank != null && layer.hasConverged(rank, eva.tau())) {
            done.add(name);
          }
        });
    return done.size() == layers.size();
  }

  private record Share(int target, double ratio) {}

  /** Gives the ranks to the components that explain most of their layer's variance. */
  private Map<AdapterTarget, Integer> ranks() {
    if (layers.values().stream().anyMatch(layer -> !layer.hasData())) {
      return Map.of();
    }
    List<Share> shares = new ArrayList<>();
    for (int i = 0; i < targets.size(); i++) {
      AdapterTarget target = targets.get(i);
      double[] ratios = layers.get(target.layer()).ratios();
      int most = (int) Math.min(ratios.length, Math.min(target.rows(), target.width()));
      for (int c = 0; c < most; c++) {
        shares.add(new Share(i, ratios[c]));
      }
    }
    shares.sort(Comparator.comparingDouble(Share::ratio).reversed()); // stable: ties go in order
    int[] won = new int[targets.size()];
    shares.stream()
        .limit((long) eva.settings().rank() * targets.size())
        .forEach(share -> won[share.target()]++);
    Map<AdapterTarget, Integer> found = new LinkedHashMap<>();
    for (int i = 0; i < won.length; i++) {
      found.put(targets.get(i), won[i]);
    }
    return found;
  }

  /** The matrices A of the matrices that have won a rank, [rank, in] each. */
  Map<AdapterTarget, Tensor> starts() {
    Map<AdapterTarget, Tensor> starts = new LinkedHashMap<>();
    ranks.forEach(
        (target, rank) -> {
          if (rank > 0) {
            starts.put(target, layers.get(target.layer()).start(rank, eva.whiten()));
          }
        });
    return starts;
  }

  @Override
  public void close() {
    layers.values().forEach(LayerComponents::close);
  }

  /** The principal components of one layer's inputs. */
  private static final class LayerComponents implements AutoCloseable {
    private final FrozenWeight weight;
    private final IncrementalPca pca;
    private Tensor before;

    LayerComponents(Eva eva, AdapterTarget target) {
      this.weight = FrozenWeight.of(target.frozen());
      long wanted = Math.round(eva.settings().rank() * eva.rho());
      this.pca = new IncrementalPca((int) Math.min(wanted, target.width()), false);
    }

    Tensor inputs(Tensor x) {
      return weight.inputs(x).to(DType.FLOAT32);
    }

    int count() {
      return pca.count();
    }

    void add(Tensor rows) {
      Tensor old = pca.hasData() ? pca.components().copy().keep() : null;
      if (pca.add(rows)) {
        if (before != null) {
          before.close();
        }
        before = old;
      } else if (old != null) {
        old.close();
      }
    }

    boolean hasData() {
      return pca.hasData();
    }

    double[] ratios() {
      return pca.explainedVarianceRatio().toDoubles();
    }

    /** Whether the first components did not turn in the last batch. */
    boolean hasConverged(int rank, double tau) {
      if (before == null) {
        return false;
      }
      try (Scope scope = Scope.open()) {
        double[] cosines = before.mul(pca.components()).sum(1, false).toDoubles();
        return Arrays.stream(cosines).limit(rank).allMatch(cosine -> cosine >= tau);
      }
    }

    Tensor start(int rank, boolean whiten) {
      Tensor first = pca.components().narrow(0, 0, rank);
      Tensor scaled =
          whiten ? first.div(pca.singularValues().narrow(0, 0, rank).sqrt().unsqueeze(1)) : first;
      return scaled.to(DType.FLOAT32);
    }

    @Override
    public void close() {
      pca.close();
      if (before != null) {
        before.close();
      }
    }
  }
}
