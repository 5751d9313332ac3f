package dev.jformer.adapt;

import com.google.auto.service.AutoService;
import java.util.Map;

/** Training without an adapter: all weights of the model are trained. */
@AutoService(Adapter.class)
public record NoAdapter() implements Adapter {
  @Override
  public String type() {
    return "none";
  }

  @Override
  public boolean isNone() {
    return true;
  }

  @Override
  public AdapterSettings settings() {
    throw new IllegalStateException("'none' is no adapter and has no settings");
  }

  @Override
  public Map<AdapterTarget, LowRankFactors> begin(
      Iterable<AdapterTarget> targets, AdaptationData data) {
    return Map.of();
  }
}
