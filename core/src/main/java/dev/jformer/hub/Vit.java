package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.Model;
import dev.jformer.model.vision.Framing;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.model.vision.VisionTransformer.Distillation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The Vision Transformer (<a href="https://arxiv.org/abs/2010.11929">An Image is Worth 16x16 Words:
 * Transformers for Image Recognition at Scale</a>) and DeiT (<a
 * href="https://arxiv.org/abs/2012.12877">Training data-efficient image transformers &amp;
 * distillation through attention</a>) in Hugging Face's format, as classifiers of images.
 */
final class Vit implements SavedFamily<VisionTransformer.Config> {
  private static final String DISTILLED = "distillation_classifier";

  private final String modelType;

  /** Creates the family {@code vit}, or {@code deit}, which has a distillation token. */
  Vit(String modelType) {
    this.modelType = modelType;
  }

  @Override
  public String modelType() {
    return modelType;
  }

  private String prefix() {
    return modelType + ".";
  }

  private String head(Distillation distillation) {
    return distillation == Distillation.CLASSIFIER ? "cls_classifier" : "classifier";
  }

  @Override
  public VisionTransformer.Config read(JsonNode theirs, Path folder, Set<String> names) {
    Fields fields = new Fields(theirs);
    fields.supports("num_channels", fields.size("num_channels", 3), ImageModel.CHANNELS);
    Distillation distillation =
        !modelType.equals("deit")
            ? Distillation.NONE
            : names.contains(DISTILLED + ".weight") ? Distillation.CLASSIFIER : Distillation.TOKEN;
    if (!names.isEmpty() && !names.contains(head(distillation) + ".weight")) {
      throw new ConfigException(
          "the file holds no classifier of images: expected the tensor "
              + head(distillation)
              + ".weight");
    }
    int classes = HeadLabels.of(theirs).size();
    int size = fields.size("image_size", 224);
    Framing framing = framing(folder, size);
    Norm.Config norm = new Norm.LayerNormConfig(fields.positive("layer_norm_eps", 1e-12), true);
    boolean bias = fields.flag("qkv_bias", true);
    return new VisionTransformer.Config()
        .with(
            c ->
                c.size(size)
                    .framing(framing)
                    .patch(fields.size("patch_size", 16))
                    .classes(Math.max(1, classes))
                    .pool(VisionTransformer.Pool.TOKEN)
                    .distillation(distillation))
        .withStack(
            s -> s.layers(fields.layers("num_hidden_layers")).width(fields.size("hidden_size")))
        .withBlock(
            b ->
                b.mixer(attention(fields.size("num_attention_heads"), bias))
                    .ffn(
                        new Mlp.Config(
                            fields.choice("hidden_act", "gelu", PostNormEncoder.ACTIVATIONS),
                            4,
                            fields.size("intermediate_size")))
                    .norm(norm)
                    .dropout(fields.number("hidden_dropout_prob", 0))
                    .init(new BlockContext.Init(0.02, false)));
  }

  private static Framing framing(Path folder, int size) {
    try {
      return VitPixels.read(folder).framing(size);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (ConfigException e) {
      throw new ConfigException(folder.resolve(VitPixels.FILE) + ": " + e.getMessage(), e);
    }
  }

  private static SoftmaxAttention.Config attention(int heads, boolean bias) {
    if (!bias) {
      throw new ConfigException("qkv_bias is false, which is not supported: only true is");
    }
    return new SoftmaxAttention.Config(heads, 0);
  }

  @Override
  public List<WeightMap> weights(VisionTransformer.Config config) {
    List<WeightMap> maps = new ArrayList<>();
    String embeddings = prefix() + "embeddings.";
    maps.add(WeightMap.same("token", embeddings + "cls_token"));
    if (config.distillation() != Distillation.NONE) {
      maps.add(WeightMap.same("distillationToken", embeddings + "distillation_token"));
    }
    maps.add(
        WeightMap.ordered(
            "trunk.position.weight", embeddings + "position_embeddings", StoredOrder.BATCHED));
    both(maps, "stem.patches", embeddings + "patch_embeddings.projection");
    long width = config.width();
    for (int i = 0; i < config.layers(); i++) {
      String ours = "trunk.blocks." + i + ".";
      String theirs = prefix() + "encoder.layer." + i + ".";
      String attention = theirs + "attention.attention.";
      for (String kind : List.of(".weight", ".bias")) {
        maps.add(
            WeightMap.joined(
                ours + "mixer.qkv" + kind,
                List.of(
                    attention + "query" + kind,
                    attention + "key" + kind,
                    attention + "value" + kind),
                List.of(width, width, width)));
      }
      both(maps, ours + "mixer.out", theirs + "attention.output.dense");
      both(maps, ours + "mixerNorm", theirs + "layernorm_before");
      both(maps, ours + "ffnNorm", theirs + "layernorm_after");
      both(maps, ours + "ffn.up", theirs + "intermediate.dense");
      both(maps, ours + "ffn.down", theirs + "output.dense");
    }
    both(maps, "trunk.norm", prefix() + "layernorm");
    both(maps, "head", head(config.distillation()));
    if (config.distillation() == Distillation.CLASSIFIER) {
      both(maps, "distillationHead", DISTILLED);
    }
    return maps;
  }

  // ---- Writing

  @Override
  public Class<VisionTransformer.Config> ours() {
    return VisionTransformer.Config.class;
  }

  @Override
  public String title() {
    return modelType.equals("vit") ? "ViT" : "DeiT";
  }

  @Override
  public String pipeline(VisionTransformer.Config ours) {
    return "image-classification";
  }

  @Override
  public ObjectNode write(VisionTransformer.Config ours, List<String> labels) {
    Mismatch.Check check = new Mismatch.Check(title());
    check.is(Linear.Config.class, ours.projection(), "plain linear layers");
    SoftmaxAttention.Config mixer =
        check.is(SoftmaxAttention.Config.class, ours.mixer(), "softmax attention");
    Mlp.Config mlp = check.is(Mlp.Config.class, ours.ffn(), "a plain MLP");
    Norm.LayerNormConfig norm = check.is(Norm.LayerNormConfig.class, ours.norm(), "layer norm");
    boolean taught = ours.distillation() == Distillation.CLASSIFIER;
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("model_type", modelType);
    config
        .putArray("architectures")
        .add(title() + "ForImageClassification" + (taught ? "WithTeacher" : ""));
    config.put("image_size", ours.size()).put("patch_size", ours.patch());
    config.put("num_channels", ImageModel.CHANNELS);
    config.put("hidden_size", ours.width());
    config.put("num_hidden_layers", ours.layers());
    config.put("num_attention_heads", mixer.heads());
    config.put("intermediate_size", mlp.hiddenFor(ours.width()));
    config.put("hidden_act", PostNormEncoder.named(check, mlp.activation()));
    config.put("hidden_dropout_prob", ours.dropout());
    config.put("layer_norm_eps", norm.epsilon()).put("qkv_bias", true);
    HeadLabels.put(config, labels, ours.classes());
    return config;
  }

  @Override
  public VisionTransformer.Config plain(VisionTransformer.Config ours) {
    return ours.withFraming(new Framing()) // which a file of its own says
        .withStack(s -> s.position(PostNormEncoder.usual(ours.position())))
        .withBlock(b -> PostNormEncoder.plain(b, ours.block(), ours.width()));
  }

  @Override
  public Map<String, ObjectNode> companions(Model model) {
    return Map.of(VitPixels.FILE, VitPixels.of((ImageModel) model));
  }

  private static void both(List<WeightMap> maps, String ours, String theirs) {
    maps.add(WeightMap.same(ours + ".weight", theirs + ".weight"));
    maps.add(WeightMap.same(ours + ".bias", theirs + ".bias"));
  }

  @Override
  public boolean isIgnored(String name) {
    return Family.without(prefix(), name).startsWith("pooler.");
  }

  /** Takes the means and deviations of pixels. */
  @Override
  public void complete(Model model, Path folder) throws IOException {
    VitPixels.read(folder).apply((ImageModel) model);
  }
}
