/**
 * An annotation processor that keeps Javadoc as resources, so that a program can show it: {@code
 * dev.jformer.javadoc} in the core module reads them. A project with parts of its own puts this
 * module on its processor path, and {@code jformer info} describes those parts too.
 */
package dev.jformer.javadocindex;
