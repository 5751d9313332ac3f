package dev.jformer.compress.experts;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.config.Configs;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.NestedMlp;
import dev.jformer.ffn.PerLayer;
import dev.jformer.model.Model;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Extracts a smaller model from a nested one, as in <a
 * href="https://arxiv.org/abs/2310.07707">MatFormer: Nested Transformer for Elastic Inference</a>.
 * It has one granularity, or another in each layer (Mix'n'Match). The result has plain perceptrons,
 * and computes what the MatFormer does at these granularities.
 *
 * @param granularities from 0, the smallest: one for each layer, or a single one for all of them
 */
@AutoService(Compression.class)
public record Extract(List<Integer> granularities) implements Compression {
  /** Default: the smallest granularity. */
  public Extract() {
    this(List.of(0));
  }

  /** Checks the values. */
  public Extract {
    granularities = List.copyOf(granularities);
    if (granularities.isEmpty()) {
      throw new IllegalArgumentException(
          "granularities is empty: expected one, or one for each layer");
    }
  }

  /** One granularity in all layers. */
  public Extract(int granularity) {
    this(List.of(granularity));
  }

  @Override
  public String type() {
    return "extract";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    List<NestedMlp> layers = new ArrayList<>(ModelRebuilder.all(model, NestedMlp.class).values());
    if (layers.isEmpty()) {
      throw new IllegalArgumentException(
          type()
              + " needs a model whose ffn is 'nested-mlp': this '"
              + model.config().type()
              + "' has none");
    }
    if (granularities.size() != 1 && granularities.size() != layers.size()) {
      throw new IllegalArgumentException(
          "granularities has "
              + granularities.size()
              + " entries: expected 1, or one for each of the model's "
              + layers.size()
              + " layers");
    }
    List<Integer> hidden = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      int granularity = granularities.get(granularities.size() == 1 ? 0 : i);
      if (granularity < 0 || granularity >= layers.get(i).granularities()) {
        throw new IllegalArgumentException(
            "a granularity is "
                + granularity
                + ": expected 0 to "
                + (layers.get(i).granularities() - 1));
      }
      hidden.add(units(layers.get(i), granularity));
    }
    return ModelRebuilder.filled(
        model, config(model.config(), hidden), extracted -> copyParts(model, extracted));
  }

  private static int units(NestedMlp layer, int granularity) {
    int width = Math.toIntExact(layer.parameters().get("down.weight").value().size(0));
    return layer.config().units(width).get(granularity);
  }

  private static Model.Config config(Model.Config nested, List<Integer> hidden) {
    return Configs.replace(
        nested,
        ChannelMixer.Config.class,
        ffn -> {
          NestedMlp.Config config = (NestedMlp.Config) ffn;
          return PerLayer.of(
              hidden.stream().<ChannelMixer.Config>map(h -> plain(config, h)).toList());
        });
  }

  private static ChannelMixer.Config plain(NestedMlp.Config config, int hidden) {
    return config.gated()
        ? new GatedMlp.Config(config.activation(), 0, hidden)
        : new Mlp.Config(config.activation(), 0, hidden);
  }

  /** The part of a weight that belongs to the first units. */
  private static Tensor cut(String name, Tensor all, Tensor target) {
    if (name.startsWith("gateUp")) {
      long count = target.size(0) / 2;
      return Tensor.cat(0, all.narrow(0, 0, count), all.narrow(0, all.size(0) / 2, count));
    }
    int dim = name.startsWith("up") ? 0 : 1;
    return all.narrow(dim, 0, target.size(dim));
  }

  /** Copies the weights that have fewer rows or columns in the smaller model, cut to size. */
  private static void copyParts(Model model, Model extracted) {
    Map<String, Parameter> old = model.parameters();
    for (Map.Entry<String, Module> entry : model.modules().entrySet()) {
      if (entry.getValue() instanceof NestedMlp) {
        try (Scope scope = Scope.open()) {
          for (String name :
              List.of("up.weight", "up.bias", "gateUp.weight", "gateUp.bias", "down.weight")) {
            Parameter target = extracted.parameters().get(entry.getKey() + "." + name);
            if (target != null) {
              Tensor all = old.get(entry.getKey() + "." + name).value().detach();
              target.copyFrom(cut(name, all, target.value()));
            }
          }
        }
      }
    }
  }
}
