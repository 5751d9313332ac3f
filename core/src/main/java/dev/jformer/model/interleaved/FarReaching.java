package dev.jformer.model.interleaved;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.BlockConfig;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.SequenceContext;
import dev.jformer.nn.Slot;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;

/**
 * The network of <a href="https://arxiv.org/abs/2305.12689">FIT: Far-reaching Interleaved
 * Transformers</a>, in the place of a token mixer. Tokens come in groups of n, and each group has m
 * latents. Local layers let the tokens of a group see each other. Then the latents read the tokens
 * of their group, global layers let all latents see each other, and the tokens read the latents of
 * their group. A layout such as {@code (2)4(2)} says how local and global layers follow each other.
 * T tokens in t = T/n groups cost O(t n² + (t m)²); with n = T^(1/3) that is O(T^(4/3)).
 *
 * <p>In causal models tokens see earlier ones of their group only, latents their own group and
 * those before, and tokens read the latents of the group before theirs; the first group reads
 * zeros. So a token sees all groups before its own, and nothing that comes later. In decoding, the
 * latents of a group are computed once, when the group is complete.
 *
 * <p>Layers are blocks with a channel mixer, as those of the model around them. A model that is
 * this network alone has one block without a norm before the mixer and without a channel mixer of
 * its own, and no other positions:
 *
 * <pre>{@code
 * jformer train --data book.txt --set model.layers=1 --set model.firstNorm=false
 *     --set model.ffn=none --set model.position=none --set model.mixer=fit
 *     --set 'model.mixer.layout=(2)4(2)' --out runs/book
 * }</pre>
 *
 * <p>What was settled here: a sequence need not divide into groups, because its last group may be
 * shorter; a group that is padding only has latents that no other sees; tokens read the latents
 * behind the last global layers too if a layout ends with these, because the result is that of the
 * tokens; the first latents are the sum of learned vectors, the same for all groups, and of a
 * position encoding, so that other encodings than the paper's learned one can be chosen.
 */
public final class FarReaching extends TokenMixer {
  /**
   * Configuration.
   *
   * @param layout numbers of local layers in brackets, those of global layers between them
   * @param group n, tokens in a group
   * @param latents m, latents of a group
   * @param latentWidth width of latents; 0 for that of tokens
   * @param latentHeads heads of attention between latents; exchanges have no more than these, and
   *     no more than local layers
   * @param local the token mixer of local layers
   * @param ffn the channel mixer of all layers
   * @param norm the normalisation in all layers
   * @param position the positions of tokens in their group
   * @param latentPosition the positions of latents among those of all groups
   */
  @AutoService(TokenMixer.Config.class)
  @RecordBuilder
  public record Config(
      String layout,
      int group,
      int latents,
      int latentWidth,
      int latentHeads,
      TokenMixer.Config local,
      ChannelMixer.Config ffn,
      Norm.Config norm,
      Position.Config position,
      Position.Config latentPosition)
      implements TokenMixer.Config, FarReachingConfigBuilder.With {
    /** Defaults: groups of 64 tokens with 4 latents. */
    public Config() {
      this(
          "(1)1(1)1(1)",
          64,
          4,
          0,
          4,
          new SoftmaxAttention.Config(),
          new Mlp.Config(),
          new Norm.LayerNormConfig(),
          new LearnedPosition.Config(),
          new LearnedPosition.Config());
    }

    /** Checks the values. */
    public Config {
      Layout.of(layout);
      Checks.between("group", group, 1, 1 << 20);
      Checks.between("latents", latents, 1, 1 << 20);
      Checks.between("latentWidth", latentWidth, 0, 1 << 20);
      Checks.atLeast("latentHeads", latentHeads, 1);
      Checks.notNull("local", local);
      Checks.notNull("ffn", ffn);
      Checks.notNull("norm", norm);
      Checks.notNull("position", position);
      Checks.notNull("latentPosition", latentPosition);
    }

    @Override
    public String type() {
      return "fit";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new FarReaching(this, context);
    }
  }

  private final Config config;
  private final boolean causal;
  private final long longest;
  private final Slot<Position> position;
  private final Slot<Position> latentPosition;
  private final Parameter latents;
  private final List<Slot<Stage>> stages;

  FarReaching(Config config, BlockContext context) {
    this.config = config;
    this.causal = context.causal();
    this.longest = context.length();
    int width = context.width();
    int latentWidth = config.latentWidth() == 0 ? width : config.latentWidth();
    int heads = config.latentHeads();
    Checks.check(
        latentWidth % heads == 0, "latentHeads", heads, "a divisor of the width " + latentWidth);
    Checks.check(
        !causal || !config.norm().mixesTokens(),
        "norm",
        config.norm().type(),
        "one that does not mix tokens, in a causal model");
    TokenMixer.Config local = config.local();
    this.position =
        child(
            "position",
            Position.class,
            config.position().build(width, local.heads(), local.headDim(width), config.group()));
    int all = Math.toIntExact(Math.multiplyExact(most(), (long) config.latents()));
    this.latentPosition =
        child(
            "latentPosition",
            Position.class,
            config.latentPosition().build(latentWidth, heads, latentWidth / heads, all));
    Initializer normal = Initializer.normal(context.init().deviation());
    this.latents = parameter("latents", normal.create(config.latents(), latentWidth));
    this.stages = children("stages", Stage.class, stages(context, latentWidth, all));
  }

  /** The most groups that are read: those behind which tokens can follow, in causal models. */
  private long most() {
    long groups = (longest + config.group() - 1) / config.group();
    return causal ? Math.max(1, groups - 1) : groups;
  }

  private List<Stage> stages(BlockContext outer, int latentWidth, int all) {
    Layout layout = Layout.of(config.layout());
    TokenMixer.Config global =
        causal
            ? new GroupCausalAttention.Config(config.latentHeads(), config.latents())
            : new SoftmaxAttention.Config(config.latentHeads(), 0);
    Side tokens =
        new Side(
            parts(outer, config.local()),
            outer.width(),
            layout.local(),
            config.group(),
            causal,
            position.get());
    Side far =
        new Side(
            parts(outer, global), latentWidth, layout.global(), all, causal, latentPosition.get());
    List<Stage> made = new ArrayList<>();
    int local = 0;
    int latent = 0;
    for (Layout.Stage stage : layout.stages()) {
      boolean exchanges = stage.global() > 0;
      made.add(
          new Stage(
              tokens.blocks(local, stage.local()),
              exchanges ? exchange(far, tokens) : null,
              far.blocks(latent, stage.global()),
              exchanges ? exchange(tokens, far) : null));
      local += stage.local();
      latent += stage.global();
    }
    return made;
  }

  private Exchange exchange(Side reader, Side memory) {
    int heads = Math.min(config.local().heads(), config.latentHeads());
    return new Exchange(reader.context(0), memory.width(), heads, config.norm());
  }

  private BlockConfig parts(BlockContext outer, TokenMixer.Config mixer) {
    return new BlockConfig()
        .with(
            block ->
                block
                    .mixer(mixer)
                    .ffn(config.ffn())
                    .norm(config.norm())
                    .bias(outer.bias())
                    .dropout(outer.dropout())
                    .init(outer.init())
                    .projection(outer.projection()));
  }

  int group() {
    return config.group();
  }

  int latents() {
    return config.latents();
  }

  List<Stage> stages() {
    return stages.stream().map(Slot::get).toList();
  }

  /** Encodes the positions of tokens [N, T, D] from a place in their groups on. */
  Tensor placed(Tensor x, long start) {
    return position.get().embed(x, start);
  }

  /**
   * The first latents of some groups: [B, groups m, W].
   *
   * @throws IllegalArgumentException if the positions do not reach so far
   */
  Tensor latents(long batch, long first, long groups) {
    if (first + groups > most() && !latentPosition.get().extrapolates()) {
      throw new IllegalArgumentException(
          "a sequence of more than "
              + longest
              + " tokens is longer than the model's length, for which its latents have positions:"
              + " shorten it, or train with model.mixer.latentPosition=sinusoidal");
    }
    long m = config.latents();
    Tensor same = latents.value().repeat(groups, 1).unsqueeze(0);
    return latentPosition.get().embed(same, first * m).expand(batch, -1, -1);
  }

  @Override
  public Tensor forward(Tensor x, Tensor paddingMask) {
    long batch = x.size(0);
    Groups groups = new Groups(x.size(1), config.group(), paddingMask);
    // In causal models nobody reads the latents of the last group.
    long read = causal ? groups.count() - 1 : groups.count();
    Presence there = Presence.of(groups, batch, read, config.latents(), causal);
    Tensor tokens = placed(groups.cut(x), 0);
    Tensor far = read == 0 ? null : latents(batch, 0, read);
    for (Slot<Stage> slot : stages) {
      Stage stage = slot.get();
      tokens = stage.local(tokens, there.tokens(), there.matters());
      if (stage.hasGlobal()) {
        far = far == null ? null : among(stage, far, tokens, there);
        Tensor told = causal ? shifted(far, there.latents(), tokens, batch) : far;
        tokens = stage.write(tokens, told.reshape(batch * groups.count(), latents(), -1));
      }
    }
    return groups.join(tokens).sub(x);
  }

  /**
   * Lets latents read the tokens of their groups, then see each other.
   *
   * @param far [B, g m, W], the latents of the first groups
   * @param tokens [B t, n, D]
   */
  private Tensor among(Stage stage, Tensor far, Tensor tokens, Presence there) {
    long batch = far.size(0);
    Tensor each = far.reshape(-1, latents(), far.size(2));
    Tensor own = Groups.first(tokens, batch, each.size(0) / batch);
    Tensor told = stage.read(each, own, there.readable());
    return stage.global(told.reshape(batch, far.size(1), far.size(2)), there.latents());
  }

  /**
   * The latents that the tokens of each group read in causal models: those of the group before,
   * zeros for the first group and behind one that is padding only.
   *
   * @param far [B, (t - 1) m, W]; null for none
   * @param there bool [B, (t - 1) m], those whose group holds a token; null if all do
   * @return [B, t m, W]
   */
  private Tensor shifted(Tensor far, Tensor there, Tensor tokens, long batch) {
    Tensor none = none(batch, tokens);
    if (far == null) {
      return none;
    }
    return Tensor.cat(1, none, there == null ? far : far.maskedFill(there.not().unsqueeze(2), 0));
  }

  /** What the first group reads in causal models: zeros [B, m, W], of the type of x. */
  Tensor none(long batch, Tensor x) {
    return Tensor.zeros(x.dtype(), batch, config.latents(), latents.value().size(1));
  }

  @Override
  public State start(long batch, long capacity) {
    if (!causal) {
      return super.start(batch, capacity);
    }
    return new FarReachingState(this, batch, capacity);
  }

  @Override
  public Tensor step(Tensor x, State state) {
    try (SequenceContext apart = SequenceContext.open(null, null)) {
      return ((FarReachingState) state).read(x).sub(x);
    }
  }
}
