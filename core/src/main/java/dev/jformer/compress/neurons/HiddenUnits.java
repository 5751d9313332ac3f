package dev.jformer.compress.neurons;

import dev.jformer.compress.ModelRebuilder;
import dev.jformer.config.Configs;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.PerLayer;
import dev.jformer.model.Model;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The input and output weights of a perceptron's hidden units, float64.
 *
 * @param config of the perceptron
 * @param in [units, parts], a row for each unit: its weights and its bias, if there is one; in a
 *     gated perceptron those of its gate first
 * @param out [units, D], a row for each unit: its column of the second layer
 */
record HiddenUnits(ChannelMixer.Config config, Tensor in, Tensor out) {
  private static final Pattern PLACE = Pattern.compile("(?:.*\\.)?blocks\\.(\\d+)\\.ffn");

  /**
   * All perceptrons of a model, by their dotted names in the order of the blocks.
   *
   * @param method for messages
   * @throws IllegalArgumentException if the model's layers are not plain, its channel mixers are
   *     not perceptrons, or it has several stacks of blocks
   */
  static Map<String, HiddenUnits> of(String method, Model model) {
    ModelRebuilder.expectPlain(method, model.config());
    Iterator<ChannelMixer.Config> configs = configs(method, model.config()).iterator();
    Map<String, HiddenUnits> all = new LinkedHashMap<>();
    ChannelMixer.Config config = null;
    for (Map.Entry<String, Module> entry : model.modules().entrySet()) {
      if (entry.getValue() instanceof Mlp || entry.getValue() instanceof GatedMlp) {
        Matcher place = PLACE.matcher(entry.getKey());
        if (!place.matches() || Integer.parseInt(place.group(1)) != all.size()) {
          throw new IllegalArgumentException(
              method
                  + " needs a model with one stack of blocks, each with a perceptron: this '"
                  + model.config().type()
                  + "' has one at "
                  + entry.getKey());
        }
        config = configs.hasNext() ? configs.next() : config; // one may apply to all blocks
        all.put(entry.getKey(), of(model, entry.getKey(), config));
      }
    }
    return all;
  }

  private static List<ChannelMixer.Config> configs(String method, Model.Config config) {
    List<ChannelMixer.Config> all = new ArrayList<>();
    Configs.replace(
        config,
        ChannelMixer.Config.class,
        ffn -> {
          all.addAll(ffn instanceof PerLayer.Config each ? each.layers() : List.of(ffn));
          return ffn;
        });
    for (ChannelMixer.Config each : all) {
      if (!(each instanceof Mlp.Config || each instanceof GatedMlp.Config)) {
        throw new IllegalArgumentException(
            method + " needs a model whose ffn is 'mlp' or 'gated-mlp', not '" + each.type() + "'");
      }
    }
    if (all.isEmpty()) {
      throw new IllegalArgumentException(
          method + " needs a model with perceptrons: '" + config.type() + "' has none");
    }
    return all;
  }

  private static HiddenUnits of(Model model, String name, ChannelMixer.Config config) {
    boolean gated = config instanceof GatedMlp.Config;
    Linear first = (Linear) model.modules().get(name + (gated ? ".gateUp" : ".up"));
    Linear second = (Linear) model.modules().get(name + ".down");
    Tensor in = first.weight().value().detach().to(DType.FLOAT64);
    if (first.bias() != null) {
      Tensor bias = first.bias().value().detach().to(DType.FLOAT64);
      in = Tensor.cat(1, in, bias.unsqueeze(1));
    }
    Tensor rows = gated ? Tensor.cat(1, in.chunk(2, 0).toArray(Tensor[]::new)) : in;
    Tensor out = second.weight().value().detach().to(DType.FLOAT64).t();
    if (!rows.isFinite().all() || !out.isFinite().all()) {
      throw new IllegalArgumentException(
          "the perceptron " + name + " has weights that are not finite: the model is damaged");
    }
    return new HiddenUnits(config, rows, out);
  }

  /** Number of units. */
  int count() {
    return Math.toIntExact(in.size(0));
  }

  Activation activation() {
    return config instanceof GatedMlp.Config gated
        ? gated.activation()
        : ((Mlp.Config) config).activation();
  }

  /**
   * Number of leading parts of a row of {@link #in} that the activation acts on: all, or the
   * gate's.
   */
  int activated() {
    int parts = Math.toIntExact(in.size(1));
    return config instanceof GatedMlp.Config ? parts / 2 : parts;
  }

  /** The units with these indices. */
  HiddenUnits chosen(long[] units) {
    Tensor index = Tensor.of(units, units.length);
    return with(in.indexSelect(0, index), out.indexSelect(0, index));
  }

  /** Other units of the same perceptron. */
  HiddenUnits with(Tensor othersIn, Tensor othersOut) {
    return new HiddenUnits(config, othersIn, othersOut);
  }

  private ChannelMixer.Config narrowed() {
    return config instanceof GatedMlp.Config gated
        ? new GatedMlp.Config(gated.activation(), gated.expand(), count())
        : new Mlp.Config(activation(), ((Mlp.Config) config).expand(), count());
  }

  /**
   * Creates a copy of a model, in inference mode, with other hidden units in its perceptrons.
   *
   * @param layers the units of all perceptrons, by their names
   */
  static Model applied(Model model, Map<String, HiddenUnits> layers) {
    ChannelMixer.Config ffn =
        PerLayer.of(layers.values().stream().map(HiddenUnits::narrowed).toList());
    return ModelRebuilder.filled(
        model,
        Configs.replace(model.config(), ChannelMixer.Config.class, old -> ffn),
        made -> layers.forEach((name, units) -> units.fill(made, name)));
  }

  private void fill(Model made, String name) {
    boolean gated = config instanceof GatedMlp.Config;
    Linear first = (Linear) made.modules().get(name + (gated ? ".gateUp" : ".up"));
    Linear second = (Linear) made.modules().get(name + ".down");
    Tensor rows = gated ? Tensor.cat(0, in.chunk(2, 1).toArray(Tensor[]::new)) : in;
    long width = first.weight().value().size(1);
    first.weight().copyFrom(rows.narrow(1, 0, width));
    if (first.bias() != null) {
      first.bias().copyFrom(rows.select(1, width));
    }
    second.weight().copyFrom(out.t());
  }
}
