// SPDX-License-Identifier: Apache-2.0
/** The library's slow steps for coroutines: off the caller's thread, and given up between steps. */
package portrait.relight

import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.withContext
import portrait.relight.Constants.Rule.GROUP

/**
 * [Relighter.look] in another context.
 *
 * @throws NoFaceError if the photo shows no face.
 */
public suspend fun Relighter.awaitLook(photo: Photo, context: CoroutineContext = Dispatchers.Default): Portrait =
    withContext(context) { look(photo) }

/** [Portrait.suggest] in another context: it asks the key network. */
public suspend fun Portrait.awaitSuggest(
    pattern: String? = null,
    like: Portrait? = null,
    most: Int = GROUP,
    context: CoroutineContext = Dispatchers.Default,
): Setup = withContext(context) { suggest(pattern, like, most) }

/** [Portrait.render] in another context. */
public suspend fun Portrait.awaitRender(
    setup: Setup,
    strength: Double = 1.0,
    side: Int? = null,
    context: CoroutineContext = Dispatchers.Default,
): Result = withContext(context) { render(setup, strength, side) }

/**
 * Previews for setups that change as a finger moves. Of setups that come faster than they can be shown
 * only the last is: a preview is never late.
 *
 * @param setups the setups wanted.
 * @param side longer side of a preview at most, pixels.
 */
public fun Portrait.previews(
    setups: Flow<Setup>,
    side: Int,
    context: CoroutineContext = Dispatchers.Default,
): Flow<Result> = setups.conflate().map { render(it, side = side) }.flowOn(context)
