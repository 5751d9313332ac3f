package dev.jformer.model.diffusion;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.expert.ExpertChoiceGate;
import dev.jformer.ffn.expert.Experts;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.Model;
import dev.jformer.model.vision.Framing;
import dev.jformer.model.vision.Patches;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.ScheduledModule;
import dev.jformer.nn.Slot;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A Diffusion Transformer (<a href="https://arxiv.org/abs/2212.09748">Scalable Diffusion Models
 * with Transformers</a>): blocks of attention and perceptrons on the patches of noisy images.
 *
 * <p>It has the parts of <a href="https://arxiv.org/abs/2407.15811">Stretching Each Dollar:
 * Diffusion Training from Scratch on a Micro-Budget</a>, each of which can be left out: a patch
 * mixer before the other blocks, patches that training leaves out behind the mixer ({@link
 * Masking}), experts that choose their tokens in every second block, and widths that grow with the
 * depth. Where patches are left out, the loss is the mean over the others, of which each image has
 * as many.
 *
 * <p>The class reaches the blocks through their adaptive normalisation. The paper's blocks also
 * have cross-attention to the words of a caption. For a class there is one such word, to which a
 * softmax gives the weight 1, so each token would get the same vector; the normalisation's shift is
 * one.
 */
public final class DiffusionTransformer extends DiffusionModel implements ScheduledModule {
  /**
   * Configuration; the defaults are a small model for grey images of 16 x 16.
   *
   * @param size height and width of the images, a multiple of the patch's
   * @param channels 3 for colours, 1 for grey
   * @param classes K, number of classes
   * @param patch height and width of a patch in pixels
   * @param layers number of blocks behind the patch mixer
   * @param width D, a multiple of 4
   * @param headDim width of a head of attention
   * @param mixer the token mixer of the blocks, one that looks both ways; softmax attention has
   *     heads of {@code headDim}, as many as {@code scaling} says
   * @param patchMixer the blocks that see all patches
   * @param scaling how the blocks' widths grow with the depth, in the patch mixer and behind it
   * @param experts which blocks have experts, in the patch mixer and behind it
   * @param masking what training leaves out
   * @param classDropout share of the training images whose class is not told, for guidance
   * @param edm noise levels of training, and preconditioning
   * @param framing how pictures become squares of this size
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(
      int size,
      int channels,
      int classes,
      int patch,
      int layers,
      int width,
      int headDim,
      TokenMixer.Config mixer,
      PatchMixer patchMixer,
      LayerScaling scaling,
      ExpertBlocks experts,
      Masking masking,
      double classDropout,
      Edm edm,
      Framing framing)
      implements DiffusionModel.Config, DiffusionTransformerConfigBuilder.With {
    /** Defaults. */
    public Config() {
      this(
          16,
          1,
          10,
          2,
          6,
          96,
          32,
          new SoftmaxAttention.Config(),
          new PatchMixer(),
          new LayerScaling(),
          new ExpertBlocks(),
          new Masking(),
          0.1,
          new Edm(),
          new Framing());
    }

    /** Checks the values. */
    public Config {
      DiffusionModel.Config.check(size, channels, classes, classDropout, edm, framing);
      Checks.atLeast("patch", patch, 1);
      Checks.check(size % patch == 0, "patch", patch, "a divisor of the size " + size);
      Checks.between("layers", layers, 1, 1000);
      Checks.between("width", width, 4, 1 << 16);
      Checks.between("headDim", headDim, 1, 1 << 16);
      Checks.notNull("mixer", mixer);
      Checks.notNull("patchMixer", patchMixer);
      Checks.notNull("scaling", scaling);
      Checks.notNull("experts", experts);
      Checks.notNull("masking", masking);
      checkWidth("width", width, headDim);
      checkWidth("patchMixer.width", patchMixer.width(), headDim);
      Checks.check(
          masking.place() != Masking.Place.DEFERRED || patchMixer.layers() > 0,
          "masking.place",
          "DEFERRED",
          "a patch mixer too (patchMixer.layers), behind which patches are left out");
    }

    private static void checkWidth(String name, int width, int headDim) {
      Checks.check(width % 4 == 0, name, width, "a multiple of 4, for sines and cosines of places");
      Checks.check(width % headDim == 0, name, width, "a multiple of headDim " + headDim);
    }

    @Override
    public String type() {
      return "dit";
    }

    /** The width of the patch mixer's tokens. */
    int mixerWidth() {
      return patchMixer.layers() == 0 || patchMixer.width() == 0 ? width : patchMixer.width();
    }

    private Patches patches() {
      return Patches.ofSquares(size, patch, channels);
    }

    @Override
    public Config withClasses(int classes) {
      return DiffusionTransformerConfigBuilder.With.super.withClasses(classes);
    }

    @Override
    public DiffusionTransformer build() {
      return new DiffusionTransformer(this);
    }
  }

  private final Config config;
  private final Patches patches;
  private final Slot<Layer> stem;
  private final Slot<Conditioning> condition;
  private final List<Slot<DiffusionBlock>> mixer;
  private final Slot<Layer> between;
  private final List<Slot<DiffusionBlock>> blocks;
  private final Slot<Layer> modulation;
  private final Slot<Layer> head;
  private Tensor positions;
  private boolean masked;

  /** Creates a model with random weights, whose network puts out zeros. */
  public DiffusionTransformer(Config config) {
    this.config = config;
    this.patches = config.patches();
    int narrow = config.mixerWidth();
    int width = config.width();
    this.stem =
        child(
            "stem",
            Layer.class,
            new Linear(patches.values(), narrow, true, Initializer.xavierUniform()));
    this.condition =
        child("condition", Conditioning.class, new Conditioning(config.classes(), width));
    this.mixer =
        children(
            "patchMixer.blocks",
            DiffusionBlock.class,
            blocks(config, narrow, config.patchMixer().layers()));
    this.between =
        narrow == width
            ? null
            : child(
                "between",
                Layer.class,
                new Linear(narrow, width, true, Initializer.xavierUniform()));
    this.blocks = children("blocks", DiffusionBlock.class, blocks(config, width, config.layers()));
    this.modulation =
        child("modulation", Layer.class, new Linear(width, 2L * width, true, Initializer.zeros()));
    this.head =
        child("head", Layer.class, new Linear(width, patches.values(), true, Initializer.zeros()));
    this.masked = config.masking().place() != Masking.Place.NONE && config.masking().finish() < 1;
  }

  private static List<DiffusionBlock> blocks(Config config, int width, int layers) {
    List<DiffusionBlock> made = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      BlockContext context =
          new BlockContext(
              width,
              i,
              layers,
              config.patches().count(),
              false,
              true,
              0,
              new BlockContext.Init(),
              new Linear.Config());
      made.add(
          new DiffusionBlock(
              config.width(), width, mixer(config, context), perceptron(config, context)));
    }
    return made;
  }

  private static TokenMixer mixer(Config config, BlockContext context) {
    double share = config.scaling().attention(context.layer(), context.layers());
    int heads = (int) Math.max(1, Math.round(share * context.width() / config.headDim()));
    return config.mixer().ofHeads(heads, config.headDim()).build(context, new NoPosition());
  }

  private static ChannelMixer perceptron(Config config, BlockContext context) {
    double hidden = config.scaling().hidden(context.layer(), context.layers());
    ExpertBlocks experts = config.experts();
    ChannelMixer.Config made =
        experts.in(context.layer(), context.layers())
            ? new Experts.Config(
                new Mlp.Config(Activation.GELU, hidden, 0),
                experts.count(),
                new ExpertChoiceGate.Config(experts.capacity()))
            : new GatedMlp.Config(Activation.SILU, hidden * 2 / 3, 0);
    return made.build(context);
  }

  @Override
  public Config config() {
    return config;
  }

  /** The blocks behind the patch mixer, first to last. */
  public List<DiffusionBlock> blocks() {
    return blocks.stream().map(Slot::get).toList();
  }

  /** Leaves patches out, or no longer. */
  @Override
  public void before(long step, long steps) {
    masked = config.masking().isOn(step, steps);
  }

  @Override
  Tensor network(Tensor scaled, Tensor level, Tensor labels) {
    return patches.join(outputs(patches.cut(scaled), level, labels, null));
  }

  /**
   * Computes the loss of {@link Edm}: the mean over the images, and their patches that are not left
   * out. In training, patches are left out as {@link Masking} says, drawn at random.
   */
  @Override
  public Tensor loss(Tensor images, Tensor labels, Tensor sigma, Tensor noise) {
    check(images);
    Edm edm = config.edm();
    Tensor targets = patches.cut(images);
    Tensor noisy = targets.add(patches.cut(noise).mul(sigma.view(-1, 1, 1)));
    Tensor places = masked && isTraining() ? places(images.size(0)) : null;
    Tensor denoised =
        edm.denoise(
            kept(noisy, places),
            sigma,
            (x, level) -> {
              // The patch mixer sees the patches that are left out behind it.
              Tensor all = places == null ? x : noisy.mul(edm.in(sigma).view(-1, 1, 1));
              return outputs(all, level, labels, places);
            });
    return edm.losses(denoised, kept(targets, places), sigma).mean();
  }

  /** The places of the patches that stay, drawn for each image: int64 [B, N]. */
  private Tensor places(long images) {
    int kept = config.masking().kept(patches.count());
    return Tensor.rand(images, patches.count()).topK(kept, 1).indices();
  }

  private static Tensor kept(Tensor tokens, Tensor places) {
    return places == null
        ? tokens
        : tokens.gather(1, places.unsqueeze(2).expand(-1, -1, tokens.size(2)));
  }

  /**
   * The network's outputs for patches.
   *
   * @param scaled all patches, [B, T, C P²]
   * @param places of the patches that stay, int64 [B, N]; null for all
   * @return [B, N, C P²]
   */
  private Tensor outputs(Tensor scaled, Tensor level, Tensor labels, Tensor places) {
    boolean early = config.masking().place() == Masking.Place.NAIVE;
    Tensor c = condition.get().forward(level, labels);
    Tensor embedded = stem.get().forward(scaled).add(positions().to(scaled.dtype()));
    Tensor x = early ? kept(embedded, places) : embedded;
    for (Slot<DiffusionBlock> block : mixer) {
      x = block.get().forward(x, c);
    }
    x = early ? x : kept(x, places);
    x = between == null ? x : between.get().forward(x);
    for (Slot<DiffusionBlock> block : blocks) {
      x = block.get().forward(x, c);
    }
    List<Tensor> m = modulation.get().forward(c).unsqueeze(1).chunk(2, 2);
    return head.get().forward(DiffusionBlock.modulated(x, m.get(0), m.get(1)));
  }

  private Tensor positions() {
    if (positions == null) {
      positions = patches.positions(config.mixerWidth()).keep();
    }
    return positions;
  }

  @Override
  public long derivedBytes() {
    return positions == null ? 0 : positions.elements() * positions.dtype().bytes();
  }

  @Override
  protected void forget() {
    if (positions != null) {
      positions.close();
      positions = null;
    }
  }

  @Override
  protected String details() {
    return String.format(
        Locale.ROOT,
        "images of %d x %d, %d classes, %d%s layers, width %d",
        config.size(),
        config.size(),
        config.classes(),
        config.layers(),
        config.patchMixer().layers() == 0 ? "" : " + " + config.patchMixer().layers(),
        config.width());
  }
}
