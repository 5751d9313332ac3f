package dev.jformer.run;

import dev.jformer.adapt.AdaptationData;
import dev.jformer.adapt.Adapter;
import dev.jformer.adapt.AdapterTarget;
import dev.jformer.adapt.Adapters;
import dev.jformer.adapt.LowRankFactors;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Task;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Builds the model of a training with an adapter: the trained model, frozen, with a new adapter.
 *
 * @param ranks those of the run's adapter if it is resumed, by the names of matrices: its values
 *     are in the checkpoint, so the data need not be looked at again; empty for a new adapter
 */
record AdapterStart(
    Recipe recipe, PreparedData data, long evaluationBatches, Map<String, Integer> ranks) {
  Model build(PretrainedStart start, Model.Config config) {
    Adapter adapter = recipe.adapter();
    if (recipe.from().isEmpty()) {
      throw new RunException(
          "an adapter is trained beside a trained model: give that with --from, or set adapter to"
              + " none");
    }
    start.requireFamilyOf(config);
    Model made = start.take(config).orElseGet(() -> copied(start, config));
    try {
      if (adapter.needsData() && !ranks.isEmpty()) {
        attachZeros(made, adapter);
      } else {
        Adapters.attach(made, adapter, Adapters.DEFAULT, adapter.needsData() ? data(made) : null);
      }
      made.parameters()
          .forEach(
              (name, parameter) -> {
                boolean own = data.ownWeights().contains(name);
                if (!name.contains(".adapters.") && (own || !start.has(name, parameter))) {
                  parameter.fix(false); // a new output layer, for example
                }
              });
      return made;
    } catch (RuntimeException | Error e) {
      made.close();
      throw e;
    }
  }

  private Model copied(PretrainedStart start, Model.Config config) {
    Model made = data.build(config, recipe);
    start.copyTo(made);
    return made;
  }

  private void attachZeros(Model made, Adapter adapter) {
    try (Scope scope = Scope.open()) {
      Map<AdapterTarget, LowRankFactors> updates = new LinkedHashMap<>();
      for (AdapterTarget target : Adapters.targets(made, adapter.settings().targets())) {
        Integer rank = ranks.get(target.name());
        if (rank != null) {
          Tensor a = Tensor.zeros(rank, target.width());
          Tensor b = Tensor.zeros(target.rows(), rank);
          updates.put(target, new LowRankFactors(a, b, adapter.scale(rank)));
        }
      }
      Adapters.attach(made, Adapters.DEFAULT, updates, adapter.settings().dropout());
    }
  }

  /** The first batches of training. */
  private AdaptationData data(Model made) {
    Task task = data.task(made, recipe, evaluationBatches);
    return new AdaptationData() {
      @Override
      public void run(long index) {
        Tensor random = Random.state();
        try (Mode mode = Autograd.noGrad()) {
          task.loss(index);
        }
        Random.restore(random);
      }

      @Override
      public Model model() {
        return made;
      }

      @Override
      public Tensor counted(long index) {
        return task.counted(index);
      }
    };
  }
}
