package dev.jformer.nn;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * A node in the tree of a model: it owns parameters and child modules, each under a name of its
 * own.
 *
 * <p>A subclass declares them in its constructor, in the order in which they shall be listed:
 *
 * <pre>{@code
 * final class Feedforward extends Layer {
 *   private final Slot<Layer> up = child("up", Layer.class, new Linear(…));
 *   private final Parameter scale = parameter("scale", Tensor.ones(width));
 * }
 * }</pre>
 *
 * Modules are not safe for use by several threads at once.
 */
public abstract class Module implements AutoCloseable {
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final Map<String, Slot<?>> children = new LinkedHashMap<>();
  private final Set<String> unnamed = new HashSet<>();
  private boolean training = true;

  /** Declares a weight with its initial value. */
  protected final Parameter parameter(String name, dev.jformer.tensor.Tensor initial) {
    return register(name, Parameter.trained(initial));
  }

  /** Declares a tensor that is saved but not trained. */
  protected final Parameter buffer(String name, dev.jformer.tensor.Tensor initial) {
    return register(name, Parameter.buffer(initial));
  }

  /** Declares a parameter that exists already, to share it with another module. */
  protected final Parameter register(String name, Parameter parameter) {
    claim(name);
    parameters.put(name, parameter);
    return parameter;
  }

  /**
   * Declares a child.
   *
   * @param kind what a replacement must be
   */
  protected final <M extends Module> Slot<M> child(String name, Class<? super M> kind, M module) {
    claim(name);
    Slot<M> slot = new Slot<>(kind, module);
    children.put(name, slot);
    return slot;
  }

  /**
   * Declares a child whose members are listed as this module's own, without a name before theirs.
   * It cannot be replaced as a whole.
   */
  protected final <M extends Module> Slot<M> unnamedChild(Class<? super M> kind, M module) {
    Module members = module;
    members.parameters.keySet().forEach(this::claim);
    members.children.keySet().forEach(this::claim);
    String key = "(" + children.size() + ")";
    unnamed.add(key);
    return child(key, kind, module);
  }

  /** What stands before the names of a child's members. */
  private String prefix(String child) {
    return unnamed.contains(child) ? "" : child + ".";
  }

  /** Declares a list of children, named by their numbers under {@code name}. */
  protected final <M extends Module> List<Slot<M>> children(
      String name, Class<? super M> kind, List<? extends M> modules) {
    List<Slot<M>> slots = new ArrayList<>();
    for (int i = 0; i < modules.size(); i++) {
      slots.add(child(name + "." + i, kind, modules.get(i)));
    }
    return Collections.unmodifiableList(slots);
  }

  private void claim(String name) {
    if (parameters.containsKey(name) || children.containsKey(name)) {
      throw new IllegalStateException(
          getClass().getSimpleName() + " already has a member named " + name);
    }
  }

  /**
   * All parameters and buffers by dotted name, in order of declaration; tied ones under their first
   * name only.
   */
  public final Map<String, Parameter> parameters() {
    Map<String, Parameter> all = new LinkedHashMap<>();
    Set<Parameter> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    collect(
        "",
        (name, parameter) -> {
          if (seen.add(parameter)) {
            all.put(name, parameter);
          }
        });
    return all;
  }

  private void collect(String prefix, BiConsumer<String, Parameter> action) {
    parameters.forEach((name, parameter) -> action.accept(prefix + name, parameter));
    children.forEach((name, slot) -> ((Module) slot.get()).collect(prefix + prefix(name), action));
  }

  /** The weights that gradients flow to now, in order. */
  public final Collection<Parameter> trained() {
    return parameters().values().stream().filter(p -> p.value().requiresGrad()).toList();
  }

  /** Number of weights, buffers not counted. */
  public final long parameterCount() {
    return parameters().values().stream()
        .filter(Parameter::isTrainable)
        .mapToLong(p -> p.value().elements())
        .sum();
  }

  /** Bytes that all parameters and buffers take; see {@link #derivedBytes} for what kernels add. */
  public final long parameterBytes() {
    return parameters().values().stream()
        .mapToLong(p -> p.value().elements() * p.value().dtype().bytes())
        .sum();
  }

  /** This module and all below it by dotted name, parents first; this one's name is empty. */
  public final Map<String, Module> modules() {
    Map<String, Module> all = new LinkedHashMap<>();
    collectModules("", all);
    return all;
  }

  private void collectModules(String name, Map<String, Module> all) {
    all.putIfAbsent(name, this); // a child without a name does not take its parent's place
    String prefix = name.isEmpty() ? "" : name + ".";
    children.forEach(
        (child, slot) ->
            ((Module) slot.get())
                .collectModules(unnamed.contains(child) ? name : prefix + child, all));
  }

  /**
   * Exchanges a module of this tree.
   *
   * @param name its dotted name, as in {@link #modules}
   * @return the module that stood there
   * @throws IllegalArgumentException if there is none, or the replacement is of the wrong kind
   */
  public final Module replace(String name, Module replacement) {
    Slot<?> slot = find(name);
    if (slot == null) {
      throw new IllegalArgumentException(
          getClass().getSimpleName() + " has no module '" + name + "'");
    }
    Module old = slot.get();
    slot.set(replacement);
    replacement.train(old.training);
    return old;
  }

  private Slot<?> find(String name) {
    Slot<?> found = null;
    for (Map.Entry<String, Slot<?>> child : children.entrySet()) {
      String prefix = prefix(child.getKey());
      if (name.equals(child.getKey())) {
        found = child.getValue();
      } else if (found == null && name.startsWith(prefix)) {
        found = ((Module) child.getValue().get()).find(name.substring(prefix.length()));
      }
    }
    return found;
  }

  /** Switches this tree between training and inference; dropout and the like differ. */
  public final void train(boolean on) {
    training = on;
    children.values().forEach(slot -> slot.get().train(on));
  }

  /** Whether this module is in training. */
  public final boolean isTraining() {
    return training;
  }

  /** Forgets the gradients of all weights. */
  public final void clearGrads() {
    parameters().values().forEach(parameter -> parameter.value().clearGrad());
  }

  /** Releases the memory of all parameters, and of what modules hold besides. */
  @Override
  public void close() {
    parameters().values().forEach(parameter -> parameter.value().close());
    modules().values().forEach(Module::forget);
  }

  /** Bytes of memory that this module alone holds beside its parameters, to be faster. */
  public long derivedBytes() {
    return 0;
  }

  /** Releases what this module computed from its parameters and holds to be faster. */
  protected void forget() {}
}
