package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.AdapterPlace;
import dev.jformer.io.FormatException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The file {@code adapter_config.json} of Python's PEFT, for LoRA and its variants.
 *
 * @param rank of updates that {@code ranks} does not name
 * @param alpha numerator of the scale of updates that {@code alphas} does not name
 * @param ranks by patterns of module names
 * @param alphas by patterns of module names
 * @param dropout of the inputs of updates in training
 * @param rsLora whether the scale is alpha over the root of the rank
 * @param dora whether rows have trained norms
 * @param affine whether outputs are scaled and shifted, which PEFT does not know
 * @param init how updates began, by PEFT's name; for information
 * @param targets the modules that have updates
 * @param saved modules that are stored whole
 * @param base the name or path of the model; null if unknown
 */
record PeftConfig(
    int rank,
    double alpha,
    Map<String, Integer> ranks,
    Map<String, Double> alphas,
    double dropout,
    boolean rsLora,
    boolean dora,
    boolean affine,
    String init,
    List<String> targets,
    List<String> saved,
    String base) {
  static final String FILE = AdapterPlace.CONFIG;

  /** A kind that Python's PEFT does not know, so that it refuses the files. */
  private static final String AFFINE = "AFFINER";

  /** Settings that change what an adapter computes, with the values that mean "without". */
  private static final List<String> UNSUPPORTED =
      List.of(
          "alora_invocation_tokens",
          "layer_replication",
          "lora_bias",
          "target_parameters",
          "trainable_token_indices",
          "use_bdlora",
          "use_qalora",
          "kasa_config",
          "arrow_config",
          "monteclora_config",
          "velora_config");

  static PeftConfig read(JsonNode node) {
    Fields fields = new Fields(node);
    String type = fields.text("peft_type", "LORA");
    if (!type.equals("LORA") && !type.equals(AFFINE)) {
      throw new ConfigException(
          "peft_type is "
              + FormatException.quote(type)
              + ", which is not supported: only LORA is, with rsLoRA, DoRA, PiSSA and EVA");
    }
    fields.supports("bias", fields.text("bias", "none"), "none");
    for (String name : UNSUPPORTED) {
      JsonNode value = node.path(name);
      boolean without =
          value.isMissingNode()
              || value.isNull()
              || (value.isBoolean() && !value.booleanValue())
              || (value.isContainerNode() && value.isEmpty());
      if (!without) {
        throw new ConfigException(
            name + " is " + FormatException.oneLine(value.toString()) + ", which is not supported");
      }
    }
    JsonNode init = node.path("init_lora_weights");
    String start = init.isTextual() ? init.textValue() : "true";
    if (start.startsWith("pissa") || start.equals("olora") || start.startsWith("corda")) {
      throw new ConfigException(
          "init_lora_weights is '"
              + start
              + "', so the adapter belongs to weights that PEFT changed when training began: save"
              + " it with path_initial_model_for_weight_conversion, which makes it one of the"
              + " original model");
    }
    int rank = type.equals(AFFINE) ? (int) fields.number("r", 8) : fields.size("r", 8);
    return new PeftConfig(
        rank,
        fields.number("lora_alpha", 8),
        ranks(node.path("rank_pattern")),
        alphas(node.path("alpha_pattern")),
        fields.number("lora_dropout", 0),
        fields.flag("use_rslora", false),
        fields.flag("use_dora", false),
        type.equals(AFFINE),
        start,
        List.of(),
        names(node.path("modules_to_save")),
        fields.text("base_model_name_or_path", null));
  }

  private static List<String> names(JsonNode list) {
    List<String> names = new ArrayList<>();
    list.forEach(name -> names.add(name.asText()));
    return names;
  }

  private static Map<String, Integer> ranks(JsonNode object) {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    Fields fields = new Fields(object);
    object.properties().forEach(field -> ranks.put(field.getKey(), fields.size(field.getKey())));
    return ranks;
  }

  private static Map<String, Double> alphas(JsonNode object) {
    Map<String, Double> alphas = new LinkedHashMap<>();
    Fields fields = new Fields(object);
    object
        .properties()
        .forEach(field -> alphas.put(field.getKey(), fields.number(field.getKey(), 0)));
    return alphas;
  }

  /** The rank of the update of a module of this name. */
  int rank(String module) {
    return of(module, ranks, rank);
  }

  /** The scale of the update of a module of this name. */
  double scale(String module) {
    double own = of(module, alphas, alpha);
    if (rank(module) == 0) {
      return 1;
    }
    return own / (rsLora ? Math.sqrt(rank(module)) : rank(module));
  }

  /** The value of the first pattern that matches the end of a name, as in PEFT. */
  private static <T> T of(String module, Map<String, T> patterns, T fallback) {
    for (Map.Entry<String, T> each : patterns.entrySet()) {
      try {
        if (Pattern.matches("(.*\\.)?(" + each.getKey() + ")", module)) {
          return each.getValue();
        }
      } catch (PatternSyntaxException e) {
        throw new ConfigException(
            "a pattern of rank_pattern or alpha_pattern is "
                + FormatException.quote(each.getKey())
                + ", which is no regular expression",
            e);
      }
    }
    return fallback;
  }

  ObjectNode write() {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("peft_type", affine ? AFFINE : "LORA");
    node.putNull("task_type");
    node.put("base_model_name_or_path", base);
    node.put("r", rank);
    node.put("lora_alpha", alpha);
    ranks.forEach(node.putObject("rank_pattern")::put);
    alphas.forEach(node.putObject("alpha_pattern")::put);
    node.put("lora_dropout", dropout);
    node.put("use_rslora", rsLora);
    node.put("use_dora", dora);
    if (init.equals("true")) {
      node.put("init_lora_weights", true);
    } else {
      node.put("init_lora_weights", init);
    }
    targets.forEach(node.putArray("target_modules")::add);
    if (saved.isEmpty()) {
      node.putNull("modules_to_save");
    } else {
      saved.forEach(node.putArray("modules_to_save")::add);
    }
    node.put("bias", "none");
    node.put("fan_in_fan_out", false);
    node.put("inference_mode", true);
    return node;
  }
}
