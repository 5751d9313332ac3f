package dev.jformer.model.interleaved;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.cache.StateTensors;
import dev.jformer.mixer.cache.TokenHistory;
import dev.jformer.model.Block;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory of decoding: of the group that is being read, the states of local layers and the
 * tokens that its latents will read; of the groups before it, the states of global layers and the
 * latents of the last. A group's latents are computed when the first token of the next one comes,
 * so that tokens of the last group can be dropped.
 */
final class FarReachingState implements TokenMixer.State {
  private final FarReaching network;
  private final List<Part> parts = new ArrayList<>();
  private long batch;

  /** Number of groups whose latents are computed, and of tokens behind them. */
  private long groups;

  private long open;

  /** The memory of one stage. */
  private static final class Part {
    final Stage stage;
    final List<TokenMixer.State> local;
    final List<TokenMixer.State> global;

    /** The tokens of the group, as they leave the local layers. */
    final TokenHistory tokens;

    /** The latents that tokens read, [B, m, W]; null in the first group. */
    Tensor latents;

    Part(
        Stage stage,
        List<TokenMixer.State> local,
        List<TokenMixer.State> global,
        TokenHistory tokens) {
      this.stage = stage;
      this.local = local;
      this.global = global;
      this.tokens = tokens;
    }

    List<TokenMixer.State> states() {
      List<TokenMixer.State> all = new ArrayList<>(local);
      all.addAll(global);
      all.add(tokens);
      return all;
    }

    void remember(Tensor made) {
      forget();
      // Outside of inference mode, so that later steps may run in it or not.
      try (Mode mode = Autograd.noInference()) {
        latents = made.copy().keep();
      }
    }

    void forget() {
      if (latents != null) {
        latents.close();
        latents = null;
      }
    }
  }

  FarReachingState(FarReaching network, long batch, long capacity) {
    this.network = network;
    this.batch = batch;
    long size = network.group();
    long places = (capacity + size - 1) / size * network.latents();
    try {
      for (Stage stage : network.stages()) {
        Part part =
            new Part(stage, new ArrayList<>(), new ArrayList<>(), new TokenHistory(batch, size));
        parts.add(part);
        for (Block block : stage.local()) {
          part.local.add(block.mixer().start(batch, Math.min(size, capacity)));
        }
        for (Block block : stage.global()) {
          part.global.add(block.mixer().start(batch, places));
        }
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Reads the next tokens: [B, T, D] to the sum of them and all that layers add. */
  Tensor read(Tensor x) {
    List<Tensor> made = new ArrayList<>();
    for (long from = 0; from < x.size(1); ) {
      if (open == network.group()) {
        complete();
      }
      long count = Math.min(network.group() - open, x.size(1) - from);
      made.add(readInGroup(x.narrow(1, from, count)));
      from += count;
    }
    return made.size() == 1 ? made.get(0) : Tensor.cat(1, made.toArray(Tensor[]::new));
  }

  private Tensor readInGroup(Tensor x) {
    Tensor h = network.placed(x, open);
    for (Part part : parts) {
      h = stepped(part.stage.local(), part.local, h);
      if (part.stage.hasGlobal()) {
        part.tokens.append(h);
        Tensor latents = part.latents == null ? network.none(batch, h) : part.latents;
        h = part.stage.write(h, latents);
      }
    }
    open += x.size(1);
    return h;
  }

  /** Computes the latents of the group that was read, and begins the next. */
  private void complete() {
    Tensor latents = network.latents(batch, groups, 1);
    for (Part part : parts) {
      if (part.stage.hasGlobal()) {
        // The order of tokens does not matter to cross-attention.
        Tensor told = part.stage.read(latents, part.tokens.newestFirst(open), null);
        latents = stepped(part.stage.global(), part.global, told);
        part.remember(latents);
      }
      part.local.forEach(state -> state.truncate(0));
      part.tokens.truncate(0);
    }
    groups++;
    open = 0;
  }

  private static Tensor stepped(List<Block> blocks, List<TokenMixer.State> states, Tensor x) {
    Tensor h = x;
    for (int i = 0; i < blocks.size(); i++) {
      h = blocks.get(i).step(h, states.get(i));
    }
    return h;
  }

  @Override
  public long length() {
    return groups * network.group() + open;
  }

  @Override
  public void truncate(long newLength) {
    if (newLength < 0) {
      throw new IllegalArgumentException(
          "cannot keep " + newLength + " tokens: expected at least 0");
    }
    if (newLength >= length()) {
      return;
    }
    if (newLength == 0) {
      parts.forEach(part -> part.states().forEach(state -> state.truncate(0)));
      parts.forEach(Part::forget);
      groups = 0;
      open = 0;
      return;
    }
    long kept = newLength - groups * network.group();
    if (kept < 0) {
      throw new UnsupportedOperationException(
          "cannot drop tokens of groups whose latents are computed: "
              + newLength
              + " of "
              + length()
              + " tokens end before the last group");
    }
    for (Part part : parts) {
      part.local.forEach(state -> state.truncate(kept));
      part.tokens.truncate(kept);
    }
    open = kept;
  }

  @Override
  public void select(Tensor rows) {
    for (Part part : parts) {
      part.states().forEach(state -> state.select(rows));
      part.latents = StateTensors.selected(part.latents, rows);
    }
    batch = rows.elements();
  }

  @Override
  public long bytes() {
    long sum = 0;
    for (Part part : parts) {
      sum += part.states().stream().mapToLong(TokenMixer.State::bytes).sum();
      Tensor latents = part.latents;
      sum += latents == null ? 0 : latents.elements() * latents.dtype().bytes();
    }
    return sum;
  }

  @Override
  public void close() {
    for (Part part : parts) {
      part.states().forEach(TokenMixer.State::close);
      part.forget();
    }
  }
}
